"""Every verdict that the older regression tool got wrong, and the right one."""

import pytest

from dreamer_core.errors import UsageError
from dreamer_core.gates.baseline import Flag
from dreamer_core.gates.baseline_reading import baseline_from_json
from dreamer_core.gates.capture import Blessing, capture
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.gate import Gate, evaluate
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.result import GateResult
from dreamer_core.gates.verdict import Verdict, exit_code
from tests.unit.gates.values import NAN, WHEN, baseline, group, run, summary

WM = "Loss/world_model_loss"
GATE = Gate(name="compare", checks=(ThresholdMedian(),))
BEFORE = {WM: [8.3] * 25, "sps": [100.0] * 25}


def compared(after: SeedGroup, before: SeedGroup | None = None) -> GateResult:
    blessed = baseline(before or SeedGroup(runs=(run(BEFORE),)))
    return evaluate(GATE, Evidence(candidate=after, baseline=blessed))


def test_an_identical_run_passes() -> None:
    """It did there too."""
    assert compared(SeedGroup(runs=(run(BEFORE),))).verdict is Verdict.PASS


def test_a_better_run_is_improved_and_not_failed() -> None:
    """There: rc 1, because a world-model loss from 8.3 to 5.0 and twice the speed are far from the baseline."""
    found = compared(SeedGroup(runs=(run({WM: [5.0] * 25, "sps": [200.0] * 25}),)))
    assert found.verdict is Verdict.IMPROVED
    assert exit_code(found.verdict) == 0


def test_later_steps_cannot_be_told_and_are_no_regression() -> None:
    """There: a traceback and rc 1, the same as for a regression."""
    records = {WM: [0.0] * 40, "sps": [1.0] * 40}
    late = SeedGroup(runs=(run(records),))
    blessed = baseline(SeedGroup(runs=(run(BEFORE),)))
    moved = type(blessed)(**{**vars(blessed), "env_steps_min": 90_000, "env_steps_max": 99_000})
    found = evaluate(GATE, Evidence(candidate=late, baseline=moved))
    assert found.verdict is Verdict.NO_DATA
    assert exit_code(found.verdict) == 3
    assert "0 values in env steps 89813..99187, needs 3; the whole run has 40 records" in found.results[0].reason


def test_one_nan_among_good_records_fails() -> None:
    """There: it passed, because NaN sorts silently into the median."""
    found = compared(SeedGroup(runs=(run({WM: [8.3] * 20 + [NAN] + [8.3] * 4, "sps": [100.0] * 25}),)))
    assert found.verdict is Verdict.FAIL
    assert "NaN at env step 2100" in found.results[0].reason


def test_success_from_a_baseline_of_zero_is_an_improvement() -> None:
    """There: it failed by 12,500,000 %."""
    assert compared(summary(success_rate=0.125), summary(success_rate=0.0)).verdict is Verdict.IMPROVED


def test_a_baseline_of_one_record_says_so_in_every_verdict() -> None:
    """There: the shipped training baselines hold one record, though the text says the last 25."""
    text = (
        '{"schema_version": 1, "created_at": "x", "source": "standing_still", "input_kind": "jsonl", '
        '"env_steps_min": 384, "env_steps_max": 384, "count": 1, "keys": ["Loss/world_model_loss"], '
        '"metrics": {"Loss/world_model_loss": 8.3}, "missing_keys": [], "threshold_pct": 0.15, "abs_tol": 1e-06}'
    )
    shipped = baseline_from_json(text, "standing_still.json")
    assert shipped.flags == {Flag.SHORT_WINDOW, Flag.SINGLE_SEED}
    records = SeedGroup(runs=(run({WM: [8.3] * 9}),))
    found = evaluate(GATE, Evidence(candidate=records, baseline=shipped))
    assert found.verdict is Verdict.NO_DATA  # no record at step 384; and of one record there is no median
    assert found.results[0].reason.endswith("[baseline: short window, single seed]")


def test_a_baseline_of_nothing_cannot_be_captured_and_never_passed() -> None:
    """There: absent metrics are listed, the file is written without any, and everything passes it."""
    with pytest.raises(UsageError, match="not every run has finite numbers"):
        capture(summary(other=1.0), [WM], Blessing(created_at=WHEN, source="x"))
    empty = (
        '{"schema_version": 1, "created_at": "x", "source": "x", "input_kind": "json", "env_steps_min": null, '
        '"env_steps_max": null, "count": 1, "keys": [], "metrics": {}, "missing_keys": ["a"], '
        '"threshold_pct": 0.15, "abs_tol": 1e-06}'
    )
    found = evaluate(GATE, Evidence(candidate=summary(a=1.0), baseline=baseline_from_json(empty, "x")))
    assert found.verdict is Verdict.NO_DATA


def test_a_missing_metric_cannot_be_told_and_is_no_regression() -> None:
    """There: it counted as a failure, with the exit code of one."""
    found = compared(SeedGroup(runs=(run({WM: [8.3] * 25}),)))
    assert found.verdict is Verdict.NO_DATA
    assert [result.verdict for result in found.results] == [Verdict.PASS, Verdict.NO_DATA]


def test_a_regression_and_a_missing_metric_together_are_a_regression() -> None:
    assert compared(SeedGroup(runs=(run({WM: [10.0] * 25}),))).verdict is Verdict.FAIL


def test_speed_of_another_machine_is_not_compared() -> None:
    """There: whatever machine it came from."""

    def on(cpu: str, speed: float) -> SeedGroup:
        return SeedGroup(runs=(run({"sps": [speed] * 4}, facts=Facts(testbed={"cpu": cpu})),))

    found = compared(on("laptop", 40.0), on("server", 100.0))
    assert found.verdict is Verdict.NO_DATA
    assert "cpu server / laptop" in found.results[0].reason


def test_half_the_success_is_worse_and_twice_is_not() -> None:
    """The rules that its own plan asked for: at least 0.6 of the success, at most 1.2 of the distance."""
    gate = Gate(
        name="exit-oak",
        checks=(
            ThresholdMedian(keys=("success_rate",), threshold_pct=0.4),
            ThresholdMedian(keys=("dist_at_end_p50",), threshold_pct=0.2),
        ),
    )
    before = baseline(summary(success_rate=0.5, dist_at_end_p50=0.1))

    def verdict(success: float, distance: float) -> Verdict:
        after = summary(success_rate=success, dist_at_end_p50=distance)
        return evaluate(gate, Evidence(candidate=after, baseline=before)).verdict

    assert verdict(0.3, 0.12) is Verdict.PASS
    assert verdict(0.29, 0.1) is Verdict.FAIL
    assert verdict(0.5, 0.13) is Verdict.FAIL
    assert verdict(1.0, 0.01) is Verdict.IMPROVED


def test_other_presets_are_not_compared() -> None:
    """There: nothing stopped a baseline of one model from judging another."""
    before = group([1.0] * 4, key=WM, family="a", preset="sheeprl-XS")
    found = compared(group([1.0] * 4, key=WM, family="b", preset="nature-1m"), before)
    assert found.verdict is Verdict.NO_DATA
    assert "preset sheeprl-XS / nature-1m" in found.results[0].reason
