"""time_to_threshold: unsolved runs count as what they are, and a side that was watched less does not look quick."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.checks.time_to_threshold import TimeToThreshold
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, baseline, group, judge

CHECK = TimeToThreshold(level=475)


def solved_at(*evaluations: int, length: int = 20) -> SeedGroup:
    """One run for each: it reaches 500 in that evaluation (one every 100 steps), or never if that is too late."""
    return group(*[[9.0] * min(at - 1, length) + [500.0] * (length - at + 1) for at in evaluations])


def blessed(*evaluations: int, length: int = 20) -> Baseline:
    return baseline(solved_at(*evaluations, length=length))


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((5, 6, 7, 8), Verdict.PASS),
        ((1, 1, 2, 1), Verdict.IMPROVED),
        ((15, 16, 17, 18), Verdict.FAIL),
        ((99, 99, 99, 99), Verdict.FAIL),  # never
        ((4, 6, 9, 9), Verdict.INCONCLUSIVE),
    ],
)
def test_candidates_must_be_about_as_quick(after: tuple[int, ...], verdict: Verdict) -> None:
    assert judge(TimeToThreshold(level=475, margin_pct=0.5), solved_at(*after), blessed(5, 6, 7, 8)).verdict is verdict


def test_unsolved_runs_are_not_dropped() -> None:
    """Those that got there are quick; those that did not make the side slow."""
    found = judge(CHECK, solved_at(2, 3, 99, 99, 99), blessed(5, 6, 7, 8, 6))
    assert not found.verdict.is_green
    assert found.comparison is not None
    assert found.comparison.candidate == pytest.approx((200 + 300 + 3 * 2000) / 5)
    assert "candidate 2 of 5 runs solved, not half of them" in found.reason


def test_a_side_that_was_watched_less_does_not_look_quick() -> None:
    """Unsolved after 500 steps says nothing about 600."""
    found = judge(CHECK, solved_at(99, 99, 99, 99, length=5), blessed(6, 7, 8, 9))
    assert found.verdict is not Verdict.IMPROVED
    assert found.numbers["horizon"] == 500


def test_the_reason_names_both_sides_and_the_interval() -> None:
    found = judge(CHECK, solved_at(15, 16, 17, 18), blessed(5, 6, 7, 8))
    assert "mean steps below 475 in the first 1800: 650 -> 1650 (+153.8%)" in found.reason
    assert "baseline 4 of 4 runs solved, half by env step 600" in found.reason
    assert found.numbers["baseline_steps"] == [500, 600, 700, 800]
    assert found.numbers["baseline_unsolved"] == pytest.approx([0.75, 0.5, 0.25, 0])


def test_fewer_than_four_seeds_are_inconclusive_and_say_how_many_are_needed() -> None:
    found = judge(CHECK, solved_at(15, 16, 17), blessed(1, 1, 1, 1))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "needs 4 seeds on each side" in found.reason


@pytest.mark.parametrize(
    ("by", "min_solved", "evaluations", "length", "verdict"),
    [
        (1000, 1.0, (5, 10), 20, Verdict.PASS),
        (1000, 1.0, (5, 11), 20, Verdict.FAIL),
        (1000, 0.5, (5, 11), 20, Verdict.PASS),
        (1000, 1.0, (5, 99), 8, Verdict.INCONCLUSIVE),  # the other run ended before it could tell
        (1000, 1.0, (5, 99), 10, Verdict.FAIL),
    ],
)
def test_enough_runs_must_be_there_by_a_step(
    by: float, min_solved: float, evaluations: tuple[int, ...], length: int, verdict: Verdict
) -> None:
    check = TimeToThreshold(level=475, by_env_steps=by, min_solved=min_solved)
    assert judge(check, solved_at(*evaluations, length=length)).verdict is verdict
    assert not check.uses_baseline


def test_lower_may_be_better() -> None:
    check = TimeToThreshold(key=LOSS, level=1.0, by_env_steps=200)
    assert judge(check, group([5, 0.9], key=LOSS)).verdict is Verdict.PASS
    assert judge(check, group([5, 1.1, 0.9], key=LOSS)).verdict is Verdict.FAIL


def test_a_level_that_nobody_reached_says_nothing() -> None:
    found = judge(CHECK, solved_at(99, 99, 99, 99), blessed(99, 99, 99, 99))
    assert found.verdict is Verdict.NO_DATA
    assert "no run of either side reached 475" in found.reason


def test_a_baseline_that_never_got_there_can_be_improved_on() -> None:
    found = judge(CHECK, solved_at(1, 2, 1, 2), blessed(99, 99, 99, 99))
    assert found.verdict is Verdict.IMPROVED


def test_everybody_there_at_step_zero_says_nothing() -> None:
    records = [{"env_steps": 0, SCORE: 500.0}]
    runs = tuple(run_from_records(records, name=f"run-{seed}", seed=seed) for seed in range(4))
    before = baseline(SeedGroup(runs=runs))
    found = judge(CHECK, SeedGroup(runs=runs), before)
    assert found.verdict is Verdict.NO_DATA
    assert "longer than 0 steps" in found.reason


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_bad_values_fail(bad: float) -> None:
    assert judge(CHECK, group([1, bad, 500]), blessed(5, 6, 7, 8)).verdict is Verdict.FAIL


@pytest.mark.parametrize("candidate", [SeedGroup(runs=()), group([]), group([500.0], key="other")])
def test_nothing_is_no_data(candidate: SeedGroup) -> None:
    assert judge(CHECK, candidate, blessed(5, 6, 7, 8)).verdict is Verdict.NO_DATA


def test_what_cannot_be_compared_is_no_data() -> None:
    after = solved_at(5, 6, 7, 8)
    assert "there is no baseline" in judge(CHECK, after).reason
    other = baseline(group([500.0], family="a"))
    assert "not comparable: family" in judge(CHECK, group([500.0], family="b"), other).reason
    without = replace(blessed(5, 6, 7, 8), metrics={})
    assert "holds no curve of it" in judge(CHECK, after, without).reason
    twice = tuple(run_from_records([{"env_steps": 1, SCORE: 1.0}], name=name, seed=3) for name in "ab")
    assert "the candidate has seed 3 more than once" in judge(CHECK, SeedGroup(runs=twice), blessed(5, 6)).reason


def test_curves_without_steps_are_no_data() -> None:
    stepless = SeedGroup(runs=tuple(run_from_records([{SCORE: 500.0}], name=str(seed), seed=seed) for seed in range(4)))
    assert "does not say at which step" in judge(CHECK, stepless, blessed(5, 6, 7, 8)).reason
    assert "curves do not say their steps" in judge(CHECK, solved_at(5, 6, 7, 8), baseline(stepless)).reason


def test_a_baseline_whose_curve_is_not_finite_is_no_data() -> None:
    before = blessed(5, 6, 7, 8)
    stats = before.metrics[SCORE]
    curves = (replace(stats.curves[0], values=np.full(20, NAN)), *stats.curves[1:])
    found = judge(CHECK, solved_at(5, 6, 7, 8), replace(before, metrics={SCORE: replace(stats, curves=curves)}))
    assert found.verdict is Verdict.NO_DATA
    assert "not finite in its curve" in found.reason


def test_a_metric_without_direction_is_an_error() -> None:
    assert judge(TimeToThreshold(key="my/own", level=1), group([1.0], key="my/own")).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": NAN},
        {"by_env_steps": 0},
        {"min_solved": 0},
        {"min_solved": 1.1},
        {"margin_pct": 0},
        {"alpha": 0},
        {"alpha": 0.5},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TimeToThreshold(**{"level": 1.0, **wrong})


def test_the_order_of_runs_does_not_matter() -> None:
    def verdict(evaluations: Sequence[int]) -> tuple[Verdict, Any]:
        found = judge(CHECK, solved_at(*evaluations), blessed(5, 6, 7, 8))
        return found.verdict, found.comparison

    assert verdict((4, 9, 99, 12)) == verdict((99, 12, 4, 9))
