"""Capturing a baseline: lower medians over a window, per run and over runs, and what must not be hidden."""

from dataclasses import replace

import numpy as np
import pytest

from dreamer_core.errors import UsageError
from dreamer_core.gates.baseline import Flag
from dreamer_core.gates.capture import Blessing, band_of, capture, refuse_unless_allowed, replace_baseline
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.series import Window
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, WHEN, baseline, flat, group, run, summary


def test_a_window_is_remembered_by_the_steps_it_really_has() -> None:
    found = baseline(group([1, 2, 3, 4, 5]), window=Window(env_steps_min=150, last=2))
    assert (found.env_steps_min, found.env_steps_max, found.count) == (400, 500, 2)
    assert found.metrics[SCORE].median == 4
    assert found.asked == Window(env_steps_min=150, last=2)


def test_a_candidate_may_be_half_a_record_late() -> None:
    """The last record of each seed comes a few steps sooner or later."""
    found = baseline(group([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]))
    assert (found.env_steps_min, found.env_steps_max) == (100, 500)
    assert found.window == Window(env_steps_min=50, env_steps_max=550)


def test_a_candidate_may_not_be_later_than_the_window_that_was_asked_for() -> None:
    found = baseline(group([1, 2, 3, 4, 5]), window=Window(env_steps_min=180, env_steps_max=420))
    assert (found.env_steps_min, found.env_steps_max) == (200, 400)
    assert found.window == Window(env_steps_min=180, env_steps_max=420)


def test_one_record_is_looked_at_where_it_is() -> None:
    assert baseline(group([1], [1])).window == Window(env_steps_min=100, env_steps_max=100)


def test_medians_are_lower_medians_of_records_and_then_of_runs() -> None:
    found = baseline(group([1, 2, 3, 4], [11, 12, 13, 14], [5, 6, 7, 8], [9, 9, 9, 9])).metrics[SCORE]
    assert [one.median for one in found.runs] == [2, 12, 6, 9]
    assert (found.median, found.n) == (6, 16)
    assert found.sd == pytest.approx(np.std([2, 12, 6, 9], ddof=1))
    assert found.mad == 1


def test_keys_keep_their_order_and_the_missing_are_listed() -> None:
    both = SeedGroup(runs=(run({"b": [1.0] * 3, "a": [2.0] * 3}),))
    found = baseline(both, keys=["b", "gone", "a", "b"])
    assert list(found.metrics) == ["b", "a"]
    assert found.keys == ["a", "b"]
    assert found.missing_keys == ("gone",)


def test_a_metric_that_one_run_lacks_is_missing() -> None:
    uneven = SeedGroup(runs=(run({"a": [1.0] * 3, "b": [1.0] * 3}, 0), run({"a": [1.0] * 3}, 1)))
    assert baseline(uneven, keys=["a", "b"]).missing_keys == ("b",)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_metric_that_is_not_finite_in_the_window_is_left_out_and_said(bad: float) -> None:
    both = SeedGroup(runs=(run({SCORE: [1.0] * 3, LOSS: [1.0, bad, 1.0]}),))
    found = baseline(both)
    assert list(found.metrics) == [SCORE]
    assert found.missing_keys == (LOSS,)
    assert dict(found.non_finite) == {LOSS: 1}
    assert Flag.NON_FINITE in found.flags
    assert not baseline(both, window=Window(last=1)).non_finite


@pytest.mark.parametrize(
    ("candidate", "window", "why"),
    [
        (group([1, 2, 3]), Window(env_steps_min=900), "no record is in the window: env steps 900..end; seed 0"),
        (SeedGroup(runs=()), Window(), "there are no runs"),
        (SeedGroup(runs=(run_from_records([], name="x"),)), Window(), "all records; x has no records$"),
        (
            SeedGroup(runs=(run_from_records([{SCORE: 1}], name="x"),)),
            Window(env_steps_min=1),
            "x has 1 record without",
        ),
        (group([1, 2, 3], []), Window(), r"nothing was recorded by seed 1 \(run-1\) in the window"),
        (group([NAN] * 3), Window(), "not every run has finite numbers of any of eval/mean_return"),
    ],
)
def test_nothing_cannot_be_blessed(candidate: SeedGroup, window: Window, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        capture(candidate, [SCORE], Blessing(created_at=WHEN, source="x", window=window))


@pytest.mark.parametrize(
    ("candidate", "flag"),
    [
        (group(*flat(1, 1), status="failed"), Flag.FAILED),
        (group(*flat(1, 1), status="running"), Flag.UNFINISHED),
        (group(*flat(1, 1), status="stopped"), Flag.UNFINISHED),
        (group(*flat(1, 1), dirty=True), Flag.DIRTY),
        (group(*flat(1)), Flag.SINGLE_SEED),
        (group(*flat(1, 1, length=2)), Flag.SHORT_WINDOW),
        (SeedGroup(runs=tuple(run({SCORE: [1.0] * 3}, 5, name=name) for name in "ab")), Flag.REPEATED_SEED),
        (
            SeedGroup(
                runs=tuple(run({SCORE: [1.0] * 3}, seed, facts=Facts(fingerprint=str(seed))) for seed in range(2))
            ),
            Flag.MIXED,
        ),
    ],
)
def test_what_is_wrong_with_a_run_becomes_a_flag(candidate: SeedGroup, flag: Flag) -> None:
    assert baseline(candidate).flags == {flag}


def test_a_good_seed_group_has_no_flags() -> None:
    good = group(*flat(1, 1, 1, 1), status="succeeded", dirty=False, fingerprint="f")
    assert baseline(good).flags == frozenset()


def test_a_summary_is_short_by_nature() -> None:
    assert baseline(summary(a=1.0)).flags == {Flag.SINGLE_SEED}
    assert baseline(summary(a=1.0, env_steps=300)).env_steps_max is None


def test_a_doubtful_baseline_takes_consent() -> None:
    doubtful = baseline(group(*flat(1), status="failed", dirty=True))
    with pytest.raises(UsageError, match="blessed is dirty and failed and single_seed: not blessed"):
        refuse_unless_allowed(doubtful, frozenset())
    with pytest.raises(UsageError, match="blessed is dirty: not blessed"):
        refuse_unless_allowed(doubtful, frozenset({Flag.FAILED, Flag.SINGLE_SEED}))
    refuse_unless_allowed(doubtful, frozenset({Flag.FAILED, Flag.SINGLE_SEED, Flag.DIRTY}))
    refuse_unless_allowed(baseline(group(*flat(1, 1, length=1))), frozenset())  # a short window is only said


def test_a_baseline_is_replaced_by_its_next_version_with_a_reason() -> None:
    old = replace(baseline(group(*flat(1, 1), family="a")), name="main", version=3)
    new = replace(baseline(group(*flat(2, 2), family="a")), why="longer training")
    assert (replace_baseline(old, new).name, replace_baseline(old, new).version) == ("main", 4)
    assert replace_baseline(old, replace(new, runs=())).version == 4
    with pytest.raises(UsageError, match="main v3 can only be replaced with a reason"):
        replace_baseline(old, replace(new, why=""))
    other = replace(baseline(group(*flat(2, 2), family="b")), why="another model")
    with pytest.raises(UsageError, match="main v3 is of family a, the new one of b: give it a name of its own"):
        replace_baseline(old, other)


def test_curves_are_kept_whole_when_they_are_short_and_thinned_when_they_are_long() -> None:
    short = baseline(group([1, 2, 3])).metrics[SCORE].curves[0]
    assert (short.values.tolist(), short.is_thinned) == ([1, 2, 3], False)
    long = baseline(group(list(range(1000)))).metrics[SCORE].curves[0]
    assert (len(long.values), long.is_thinned) == (125, True)


def test_the_curve_is_of_the_whole_run_and_not_of_the_window() -> None:
    found = baseline(group([1, 2, 3, 4, 5, 6]), window=Window(last=3)).metrics[SCORE]
    assert found.curves[0].values.tolist() == [1, 2, 3, 4, 5, 6]


def test_curves_can_be_left_out() -> None:
    found = capture(group([1, 2, 3]), [SCORE], Blessing(created_at=WHEN, source="x"), curve_points=0)
    assert found.metrics[SCORE].curves == ()
    assert found.metrics[SCORE].band is None


def test_the_band_holds_the_lowest_the_middle_and_the_highest_run() -> None:
    band = baseline(group([1, 2, 3], [3, 2, 1], [9, 9, 9])).metrics[SCORE].band
    assert band is not None
    assert band.steps.tolist() == [100, 200, 300]
    assert band.low.tolist() == [1, 2, 1]
    assert band.middle.tolist() == [3, 2, 3]
    assert band.high.tolist() == [9, 9, 9]


def test_the_band_spans_the_steps_that_all_runs_have() -> None:
    band = baseline(group([1, 2, 3, 4], [1, 2])).metrics[SCORE].band
    assert band is not None
    assert band.steps.tolist() == [100, 200]


def test_there_is_no_band_where_there_is_nothing_to_draw() -> None:
    stepless = SeedGroup(runs=(run_from_records([{SCORE: 1}, {SCORE: 2}, {SCORE: 3}], name="x"),))
    assert baseline(stepless).metrics[SCORE].band is None
    assert baseline(group([1, 2, 3], [1])).metrics[SCORE].band is None
    assert band_of([]) is None
    before = run_from_records([{"env_steps": step, SCORE: 1} for step in (1, 2, 3)], name="a", seed=0)
    after = run_from_records([{"env_steps": step, SCORE: 1} for step in (7, 8, 9)], name="b", seed=1)
    assert baseline(SeedGroup(runs=(before, after))).metrics[SCORE].band is None
