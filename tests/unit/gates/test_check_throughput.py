"""throughput: paired laps, one machine, two limits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.checks.throughput import Throughput
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.records import run_from_records, run_from_summary
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, NAN, baseline, group, judge, run

HERE = {"cpu": "A", "threads": "1"}
CHECK = Throughput()


def laps(*speeds: float, key: str = "sps", seed: int = 0, testbed: Mapping[str, str] = HERE) -> SeedGroup:
    return SeedGroup(runs=(run({key: speeds}, seed, facts=Facts(testbed=testbed)),))


def blessed(*speeds: float, key: str = "sps") -> Baseline:
    return baseline(laps(*speeds, key=key))


def times(factor: float, count: int = 6) -> list[float]:
    return [factor * (100 + lap) for lap in range(count)]


def test_the_file_of_a_benchmark_has_its_laps() -> None:
    """As `dreamgate bench --output` writes it: a summary of the whole, and the laps that it consists of."""

    def measured(factor: float) -> SeedGroup:
        said = [{"env_steps": 32 * i, "sps": factor * (100 + i)} for i in range(1, 7)]
        tree = {"sps": 1.0, "peak_memory_mib": 5.0, "testbed": HERE, "laps": said}
        return SeedGroup(runs=(run_from_summary(tree, name="bench.json"),), input_kind="json")

    before = measured(1.0)
    assert before.runs[0].of("sps").values.tolist() == [101, 102, 103, 104, 105, 106]
    assert before.runs[0].of("peak_memory_mib").values.tolist() == [5.0]
    assert judge(CHECK, measured(0.5), baseline(before)).verdict is Verdict.FAIL
    assert judge(CHECK, measured(1.0), baseline(before)).verdict is Verdict.PASS


@pytest.mark.parametrize("laps", [[], [1.0], "fast", {}, [{}, None]])
def test_laps_that_are_none_leave_a_summary_as_it_is(laps: Any) -> None:
    assert run_from_summary({"sps": 3.0, "laps": laps}, name="x").of("sps").values.tolist() == [3.0]


@pytest.mark.parametrize(
    ("factor", "verdict", "warns"),
    [
        (1.0, Verdict.PASS, False),
        (0.96, Verdict.PASS, False),
        (0.9, Verdict.PASS, True),  # beyond the soft limit
        (0.8, Verdict.FAIL, False),  # beyond the hard one
        (1.2, Verdict.IMPROVED, False),
    ],
)
def test_a_soft_limit_warns_and_a_hard_one_fails(factor: float, verdict: Verdict, warns: bool) -> None:
    found = judge(CHECK, laps(*times(factor)), blessed(*times(1.0)))
    assert (found.verdict, found.is_warning) == (verdict, warns)
    assert found.numbers["ratio"] == pytest.approx(factor)


def test_times_are_better_low() -> None:
    before = blessed(*times(1.0), key="total_ms")
    check = Throughput(keys=("total_ms",))
    assert judge(check, laps(*times(1.3), key="total_ms"), before).verdict is Verdict.FAIL
    assert judge(check, laps(*times(0.7), key="total_ms"), before).verdict is Verdict.IMPROVED


def test_noise_around_the_hard_limit_is_inconclusive() -> None:
    found = judge(CHECK, laps(70, 100, 80, 100, 70, 95), blessed(*[100] * 6))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.numbers["interval"] == [0.7, 1.0]


def test_the_bounds_of_the_median_come_from_the_order_alone() -> None:
    """Of eight ratios the second from each end: 9 of 256 orders have at most one on one side."""
    ratios = [0.8, 0.9, 0.95, 0.96, 0.97, 0.98, 1.0, 1.5]
    found = judge(CHECK, laps(*[100 * ratio for ratio in ratios]), blessed(*[100] * 8))
    assert found.numbers["interval"] == pytest.approx([0.9, 1.0])


def test_pairs_cancel_what_the_machine_did() -> None:
    """Both sides slow down by half in the middle; lap against lap the candidate is one percent slower."""
    before = [100, 100, 50, 50, 100, 100]
    found = judge(CHECK, laps(*[0.99 * speed for speed in before]), blessed(*before))
    assert found.verdict is Verdict.PASS
    assert found.numbers["interval"] == pytest.approx([0.99, 0.99])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_fewer_than_five_pairs_are_inconclusive(count: int) -> None:
    found = judge(CHECK, laps(*times(0.1, count)), blessed(*times(1.0, count)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "needs 5" in found.reason


def test_a_sterner_alpha_needs_more_pairs() -> None:
    found = judge(Throughput(alpha=0.01), laps(*times(0.1)), blessed(*times(1.0)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "6 pairs of laps, needs 7" in found.reason


@pytest.mark.parametrize(
    ("testbed", "why"),
    [
        ({"cpu": "B", "threads": "1"}, "speed on different testbeds, cpu A / B"),
        ({"cpu": "A", "threads": "4"}, "threads 1 / 4"),
        ({}, "testbed of one side is not known"),
        ({"gpu": "H"}, "testbed of one side is not known"),
    ],
)
def test_another_machine_is_not_comparable(testbed: dict[str, str], why: str) -> None:
    found = judge(CHECK, laps(*times(1.0), testbed=testbed), blessed(*times(1.0)))
    assert found.verdict is Verdict.NO_DATA
    assert why in found.reason


def test_another_family_and_no_baseline_are_no_data() -> None:
    assert "there is no baseline" in judge(CHECK, laps(*times(1.0))).reason
    before = baseline(group(times(1.0), key="sps", family="a", testbed=HERE))
    found = judge(CHECK, group(times(1.0), key="sps", family="b", testbed=HERE), before)
    assert "family a of the baseline" in found.reason


@pytest.mark.parametrize("bad", [NAN, INF, -INF, 0.0, -1.0])
def test_laps_that_are_no_speed_fail(bad: float) -> None:
    assert judge(CHECK, laps(*times(1.0), bad), blessed(*times(1.0))).verdict is Verdict.FAIL


def test_a_baseline_that_is_no_speed_is_no_data() -> None:
    found = judge(CHECK, laps(*times(1.0)), blessed(*times(1.0), 0.0))
    assert found.verdict is Verdict.NO_DATA
    assert "not finite numbers above 0" in found.reason


@pytest.mark.parametrize("candidate", [SeedGroup(runs=()), laps(), laps(1.0, key="other")])
def test_nothing_is_no_data(candidate: SeedGroup) -> None:
    assert judge(CHECK, candidate, blessed(*times(1.0))).verdict is Verdict.NO_DATA


def test_laps_without_partners_are_no_data() -> None:
    late = [{"env_steps": 9000 + lap, "sps": 100.0} for lap in range(6)]
    candidate = SeedGroup(runs=(run_from_records(late, name="late", facts=Facts(testbed=HERE)),))
    assert "no lap of the candidate has a partner" in judge(CHECK, candidate, blessed(*times(1.0))).reason


def test_laps_without_steps_are_paired_by_their_place() -> None:
    def stepless(speeds: Sequence[float]) -> SeedGroup:
        records = [{"sps": speed} for speed in speeds]
        return SeedGroup(runs=(run_from_records(records, name="laps", facts=Facts(testbed=HERE)),))

    assert judge(CHECK, stepless(times(0.5)), baseline(stepless(times(1.0)))).verdict is Verdict.FAIL


def test_several_runs_are_paired_by_seed() -> None:
    def of_seeds(*seeds: int) -> SeedGroup:
        facts = Facts(testbed=HERE)
        return SeedGroup(runs=tuple(run({"sps": times(1.0 + seed)}, seed, facts=facts) for seed in seeds))

    found = judge(CHECK, of_seeds(1, 2), baseline(of_seeds(1, 2)))
    assert (found.verdict, found.numbers["ratio"]) == (Verdict.PASS, 1.0)
    assert len(found.numbers["ratios"]) == 12
    assert judge(CHECK, of_seeds(1, 2), baseline(of_seeds(3, 4))).verdict is Verdict.NO_DATA


def test_a_baseline_without_whole_laps_is_no_data() -> None:
    before = blessed(*times(1.0))
    assert "holds no laps" in judge(CHECK, laps(*times(1.0)), replace(before, metrics={})).reason
    thinned = blessed(*times(1.0, 500))
    assert "only a thinned curve" in judge(CHECK, laps(*times(1.0)), thinned).reason


def test_a_metric_without_direction_is_an_error() -> None:
    assert judge(Throughput(keys=("own",)), laps(1.0, key="own"), blessed(1.0, key="own")).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"keys": ()}, "keys"),
        ({"soft": 0.0}, "soft"),
        ({"soft": 0.2}, "soft"),
        ({"hard": 1.0}, "hard"),
        ({"alpha": 0.6}, "alpha"),
        ({"n_min": 0}, "n_min"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        Throughput(**wrong)


def test_false_alarms_of_noisy_laps_are_rare() -> None:
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(200):
        before, after = rng.lognormal(4, 0.3, (2, 8))
        alarms += judge(CHECK, laps(*after), blessed(*before)).verdict is Verdict.FAIL
    assert alarms <= 10
