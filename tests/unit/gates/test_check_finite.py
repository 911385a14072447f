"""finite: the first bad value is named, and nothing is not finite."""

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.finite import Finite
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, group, judge, run


def test_good_numbers_pass_and_are_counted() -> None:
    found = judge(Finite(), SeedGroup(runs=(run({LOSS: [1, 2], "State/kl": [3, 4]}),)))
    assert found.verdict is Verdict.PASS
    assert "all 4 values of 2 metrics of 1 run are finite" in found.reason


@pytest.mark.parametrize(("bad", "word"), [(NAN, "NaN"), (INF, "+Inf"), (-INF, "-Inf")])
def test_the_first_bad_step_metric_and_run_are_named(bad: float, word: str) -> None:
    runs = (run({LOSS: [1, 2, NAN]}, 0), run({LOSS: [1, 2, 3], "Grads/actor": [1, bad, INF]}, 1))
    found = judge(Finite(), SeedGroup(runs=runs))
    assert (found.verdict, found.key) == (Verdict.FAIL, "Grads/actor")
    assert f"first {word} at env step 200 of seed 1 (run-1)" in found.reason
    assert (found.numbers["step"], found.numbers["run"]) == (200, "run-1")
    assert found.numbers["keys"] == ["Grads/actor", LOSS]


def test_nan_and_infinite_values_are_counted_apart() -> None:
    found = judge(Finite(), group([NAN, INF, -INF, 1], key=LOSS))
    assert (found.numbers["nan"], found.numbers["inf"]) == (1, 2)


def test_a_record_without_a_step_is_named_by_its_place() -> None:
    runs = (run_from_records([{LOSS: 1}, {LOSS: NAN}], name="run"),)
    assert "first NaN in record 1 of run" in judge(Finite(), SeedGroup(runs=runs)).reason


@pytest.mark.parametrize("candidate", [SeedGroup(runs=()), group([]), group([1.0], key=SCORE)])
def test_nothing_recorded_is_not_finite(candidate: SeedGroup) -> None:
    assert judge(Finite(), candidate).verdict is Verdict.NO_DATA


def test_a_run_that_lacks_a_metric_is_no_data() -> None:
    found = judge(Finite(), SeedGroup(runs=(run({LOSS: [1.0]}, 0), run({SCORE: [1.0]}, 1))))
    assert found.verdict is Verdict.NO_DATA
    assert "seed 1 (run-1) has 0 values" in found.reason


def test_metrics_and_window_can_be_chosen() -> None:
    candidate = group([NAN, 1.0, 2.0], key=SCORE)
    assert judge(Finite(), candidate).verdict is Verdict.NO_DATA
    assert judge(Finite(keys=("*",)), candidate).verdict is Verdict.FAIL
    assert judge(Finite(keys=(SCORE,), window=Window(last=2)), candidate).verdict is Verdict.PASS
    assert judge(Finite(keys=("gone",)), candidate).verdict is Verdict.NO_DATA


def test_no_metrics_at_all_are_refused() -> None:
    with pytest.raises(ConfigError, match="keys: must name at least one metric"):
        Finite(keys=())
