"""Two groups of seeds side by side: exact where it can be checked by hand, and honest about what few seeds can say."""

import math
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.gates.resample import Comparison, compare_scores, statistic_of


def compared(
    before: list[float], after: list[float], *, higher: bool = True, margin: float = 0.0, rng_seed: int = 0
) -> Comparison:
    return compare_scores(
        [np.array(before, dtype=float)],
        [np.array(after, dtype=float)],
        higher=higher,
        margin=margin,
        alpha=0.05,
        rng_seed=rng_seed,
    )


@pytest.mark.parametrize(
    ("scores", "iqm"),
    [([7], 7), ([1, 3], 2), ([1, 2, 9], 4), ([0, 2, 4, 100], 3), ([0, 1, 2, 3, 100], 2), ([-50, 1, 2, 3, 4, 99], 2.5)],
)
def test_the_interquartile_mean_leaves_a_quarter_out_at_each_end(scores: list[float], iqm: float) -> None:
    assert statistic_of([np.array(scores, dtype=float)], "iqm") == iqm
    assert statistic_of([np.array(scores, dtype=float)], "mean") == pytest.approx(fmean(scores))


def test_scores_of_all_tasks_stand_in_one_row() -> None:
    assert statistic_of([np.array([0.0, 100.0]), np.array([2.0, 4.0])], "iqm") == 3


def test_the_permutation_test_is_exact() -> None:
    before, after = [10.0, 11.0, 12.0, 13.0], [9.0, 10.5, 8.0, 7.0]
    pooled = after + before
    splits = [
        fmean(chosen) - fmean(other for place, other in enumerate(pooled) if place not in places)
        for places in combinations(range(8), 4)
        for chosen in [[pooled[place] for place in places]]
    ]
    expected = sum(split <= fmean(after) - fmean(before) + 1e-9 for split in splits) / math.comb(8, 4)
    assert expected == 2 / 70
    assert compared(before, after).p_worse == pytest.approx(expected)


def test_four_against_four_can_be_as_rare_as_one_in_seventy_and_three_never_rare_enough() -> None:
    assert compared([10] * 4, [0, 1, 2, 3]).p_worse == pytest.approx(1 / 70)
    assert compared([10] * 3, [0, 1, 2]).p_worse == pytest.approx(1 / 20)


def test_equal_scores_within_the_margin_are_surely_not_worse() -> None:
    found = compared([500] * 4, [500] * 4, margin=25)
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert found.p_not_worse == pytest.approx(1 / 70)
    assert found.p_worse == 1
    assert found.p_better == 1


def test_directions_mirror_each_other() -> None:
    up, down = compared([1, 2, 3, 4], [5, 6, 7, 9]), compared([-1, -2, -3, -4], [-5, -6, -7, -9], higher=False)
    assert (up.difference, up.low, up.high) == (down.difference, down.low, down.high)
    assert (up.p_worse, up.p_not_worse, up.p_better) == (down.p_worse, down.p_not_worse, down.p_better)
    assert (up.baseline, up.candidate) == (-down.baseline, -down.candidate)


def test_the_order_of_seeds_does_not_matter_and_neither_does_the_call() -> None:
    assert compared([3, 1, 2, 4, 9], [2, 8, 5, 7, 1]) == compared([9, 4, 3, 2, 1], [1, 2, 5, 7, 8])


def test_another_seed_moves_the_interval_a_little_and_the_verdict_not() -> None:
    first, second = (compared([3, 1, 2, 4, 9], [12, 18, 15, 17, 11], rng_seed=number) for number in (0, 1))
    assert first.low != second.low or first.high != second.high
    assert abs(first.p_worse - second.p_worse) < 0.02


def test_more_splits_than_can_be_listed_are_drawn() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(100, 10, 12), rng.normal(80, 10, 12)
    found = compare_scores([before], [after], higher=True, margin=0.0, alpha=0.05)
    assert found.p_worse < 0.01 < 0.9 < found.p_not_worse


def test_tasks_are_resampled_and_permuted_each_by_itself() -> None:
    """Within each task the candidate is lower; across tasks nothing could be said."""
    before = [np.array([10.0, 11.0, 12.0, 13.0]), np.array([1000.0, 1001.0, 1002.0, 1003.0])]
    after = [scores - 5 for scores in before]
    found = compare_scores(before, after, higher=True, margin=0.0, alpha=0.05, statistic="mean")
    assert found.p_worse < 0.01
    assert found.difference == -5
    assert (found.n_baseline, found.n_candidate) == (8, 8)


def test_the_spread_is_pooled_and_unknown_for_single_seeds() -> None:
    assert compared([1, 3], [11, 13]).spread == pytest.approx(math.sqrt(2))
    assert math.isnan(compared([1], [2]).spread)


def test_huge_scores_do_not_overflow_into_a_verdict() -> None:
    with np.errstate(all="ignore"):
        found = compared([1e308] * 4, [-1e308] * 4)
    assert found.p_worse == pytest.approx(1 / 70)
    assert found.p_not_worse == 1


SCORES = st.lists(st.integers(-50, 50), min_size=1, max_size=6)


@settings(deadline=None)
@given(
    before=SCORES, after=SCORES, losses=st.lists(st.integers(0, 30), min_size=6, max_size=6), margin=st.integers(0, 9)
)
def test_worse_scores_never_make_a_better_claim(
    before: list[int], after: list[int], losses: list[int], margin: int
) -> None:
    worse = [score - loss for score, loss in zip(after, losses, strict=False)]
    first, second = (compared([*map(float, before)], [*map(float, side)], margin=margin) for side in (after, worse))
    assert second.p_worse <= first.p_worse
    assert second.p_not_worse >= first.p_not_worse
    assert second.p_better >= first.p_better
    assert second.low <= first.low
    assert second.high <= first.high
