"""What a suite may be: whatever could never be passed, or never be run, is refused before anything is."""

from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates import Gate
from dreamer_core.gates.checks import Finite, Parity, ThresholdMedian
from dreamer_core.suites import Bench, Evaluation, GateUse
from tests.unit.suites.made import FINITE, a_scenario, a_suite

POSTED = {"words": (), "posted": True}


def test_a_scenario_takes_a_training_and_an_evaluation_for_each_seed_and_one_benchmark() -> None:
    scenario = a_scenario(seeds=(0, 1, 2), eval=Evaluation(), bench=Bench())
    assert scenario.jobs == 7
    assert scenario.sources == ("train", "eval", "bench")
    assert a_suite(scenarios=(scenario, a_scenario(name="two"))).jobs == 8


def test_numbers_that_are_only_posted_take_no_jobs() -> None:
    scenario = a_scenario(**POSTED, gates=(GateUse(gate="sound", of="posted"),))
    assert (scenario.jobs, scenario.sources) == (0, ("posted",))


def test_a_benchmark_alone_needs_no_training() -> None:
    scenario = a_scenario(train=False, bench=Bench(), gates=(GateUse(gate="sound", of="bench"),))
    assert (scenario.jobs, scenario.sources) == (1, ("bench",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "a b"}, "name: must be letters"),
        ({"gates": ()}, "could never be passed"),
        ({"gates": (GateUse(gate="sound"), GateUse(gate="sound"))}, "twice"),
        ({"gates": (GateUse(gate="sound", of="eval"),)}, "this scenario has not: it has train"),
        ({**POSTED}, "it has posted"),
        ({"train": False}, "it has none"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": (0, 0)}, "seeds: has 0 twice"),
        ({"seeds": (-1,)}, "seeds: must be at least 0"),
        ({"seeds": (2**53 + 1,)}, "seeds: must be at most"),
        ({"words": ("preset=cartpole", "seed=3")}, "that is what seeds are for"),
        ({"train": False, "eval": Evaluation()}, "train is false"),
        ({"words": (), "eval": Evaluation()}, "must say what to run"),
        ({"words": (), "bench": Bench()}, "must say what to run"),
        ({"queue": "Big GPU"}, "queue: must be the name of a queue"),
        ({"priority": 101}, "priority: must be at most 100"),
        ({"priority": -101}, "priority: must be at least -100"),
        ({"gpus": -1}, "gpus: must be at least 0"),
        ({"gpus": 65}, "gpus: must be at most 64"),
        ({"seconds": 0}, "seconds: must be at least 1"),
        ({"seconds": 10**9}, "seconds: must be at most"),
    ],
)
def test_a_scenario_that_could_not_be_run_or_passed_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        a_scenario(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../x"}, "name: must be letters"),
        ({"version": 0}, "version: must be at least 1"),
        ({"version": 10**8}, "version: must be at most"),
        ({"confirm": -1}, "confirm: must be at least 0"),
        ({"confirm": 4}, "confirm: must be at most 3"),
        ({"scenarios": ()}, "at least one scenario"),
        ({"scenarios": (a_scenario(), a_scenario())}, "has 'smoke' twice"),
        ({"gates": (FINITE, FINITE)}, "has 'sound' twice"),
        ({"gates": (FINITE, Gate(name="compare", checks=(Finite(),)))}, "compare is built in"),
        ({"gates": (FINITE, Gate(name="a/b", checks=(Finite(),)))}, "gates: must be letters"),
        ({"scenarios": (a_scenario(seeds=tuple(range(1001))),)}, "take 1001 jobs"),
        ({"confirm": 1, "scenarios": (a_scenario(seeds=(2**52,)),)}, "seeds: must be at most"),
        ({"gates": ()}, "no gate 'sound'; known are compare"),
    ],
)
def test_a_suite_that_could_not_be_run_or_passed_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        a_suite(**changes)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (GateUse(gate="nobody"), "known are compare, floor, seeds, sound"),
        (GateUse(gate="compare"), "compare needs a baseline"),
        (GateUse(gate="seeds"), "seeds needs a baseline"),
    ],
)
def test_a_gate_that_could_never_be_green_here_is_refused(use: GateUse, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        a_suite(scenarios=(a_scenario(gates=(use,)),))
    assert caught.value.key == "scenarios.smoke.gates"


def test_parity_is_posted_and_never_trained() -> None:
    parity = Gate(name="parity", checks=(Parity(),))
    with pytest.raises(ConfigError, match="looks at what is posted, not at train"):
        a_suite(gates=(parity,), scenarios=(a_scenario(gates=(GateUse(gate="parity"),)),))
    posted = a_scenario(**POSTED, gates=(GateUse(gate="parity", of="posted"),))
    assert a_suite(gates=(parity,), scenarios=(posted,)).unused_gates == ()


def test_a_check_that_only_warns_or_is_skipped_needs_no_baseline() -> None:
    gate = Gate(name="sound", checks=(Finite(), ThresholdMedian(required=False), ThresholdMedian(skip="new")))
    assert a_suite(gates=(gate,)).unused_gates == ()


def test_the_built_in_comparison_is_known() -> None:
    use = GateUse(gate="compare", baseline="cartpole@2")
    assert a_suite(scenarios=(a_scenario(gates=(use,)),)).unused_gates == ("sound", "floor", "seeds")


def test_gates_that_nobody_uses_are_named() -> None:
    assert a_suite().unused_gates == ("floor", "seeds")


@pytest.mark.parametrize("reference", ["", "a b", "a@", "a@b", "a@123456789", "@1"])
def test_a_baseline_is_a_name_or_a_name_and_a_version(reference: str) -> None:
    with pytest.raises(ConfigError, match="baseline: must be a name or name@version"):
        GateUse(gate="compare", baseline=reference)


def test_bounds_of_evaluations_and_benchmarks() -> None:
    for made, said in (
        (lambda: Evaluation(episodes=0), "episodes: must be at least 1"),
        (lambda: Evaluation(episodes=100_001), "episodes: must be at most"),
        (lambda: Evaluation(which=""), "which: must be best, last"),
        (lambda: Bench(updates=0), "updates: must be at least 1"),
        (lambda: Bench(warmup=-1), "warmup: must be at least 0"),
        (lambda: Bench(updates=10**7), "updates: must be at most"),
    ):
        with pytest.raises(ConfigError, match=said):
            made()
