"""Waiting times with censoring, against numbers worked out by hand."""

import numpy as np
import pytest

from dreamer_core.gates.survival import Waits, kaplan_meier, pseudo_values, restricted_mean
from dreamer_core.gates.waits import common_horizon, waits_of
from tests.unit.gates.values import series


def waits(*times: float, reached: str) -> Waits:
    """`reached` has one letter per run: y or n."""
    return Waits(times=np.array(times, dtype=float), reached=np.array([letter == "y" for letter in reached]))


def test_without_censoring_the_curve_is_the_share_still_waiting() -> None:
    curve = kaplan_meier(waits(1, 2, 2, 4, reached="yyyy"))
    assert curve.steps.tolist() == [1, 2, 4]
    assert curve.unsolved.tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert curve.median() == 2


def test_a_censored_run_counts_until_it_ends() -> None:
    """Four runs: one there at 2, one gone at 3 without it, one there at 5, one watched until 9."""
    curve = kaplan_meier(waits(2, 3, 5, 9, reached="ynyn"))
    assert curve.steps.tolist() == [2, 5]
    assert curve.unsolved.tolist() == pytest.approx([3 / 4, 3 / 8])
    assert curve.median() == 5


def test_nobody_solved_is_a_curve_that_stays_up() -> None:
    curve = kaplan_meier(waits(7, 9, reached="nn"))
    assert len(curve.steps) == 0
    assert curve.median() is None
    assert restricted_mean(waits(7, 9, reached="nn"), 5) == 5


def test_the_restricted_mean_is_the_area_under_the_curve() -> None:
    assert restricted_mean(waits(2, 4, reached="yy"), 10) == 3
    assert restricted_mean(waits(2, 4, reached="yy"), 3) == 2.5
    assert restricted_mean(waits(2, 3, 5, 9, reached="ynyn"), 9) == pytest.approx(2 + 3 * 0.75 + 4 * 0.375)


def test_pseudo_values_are_the_plain_times_where_nobody_is_censored_early() -> None:
    assert pseudo_values(waits(2, 4, 20, 20, reached="yynn"), 10).tolist() == pytest.approx([2, 4, 10, 10])


def test_pseudo_values_average_to_the_restricted_mean_only_without_early_censoring() -> None:
    early = waits(2, 3, 5, 9, reached="ynyn")
    assert pseudo_values(early, 9)[1] > 3  # the run that was watched for 3 steps is expected to take longer


def test_waiting_times_come_from_curves() -> None:
    found = waits_of([series(1, 5, 9), series(1, 2, 3)], 5, higher=True)
    assert found.times.tolist() == [200, 300]
    assert found.reached.tolist() == [True, False]
    assert waits_of([series(9, 4)], 5, higher=False).times.tolist() == [200]


def test_the_horizon_is_how_far_both_sides_were_watched() -> None:
    assert common_horizon(waits(1, 9, reached="yn"), waits(1, 5, 3, reached="ynn")) == 5
    assert common_horizon(waits(1, 9, reached="yy"), waits(1, 5, reached="yn")) == 5
    assert common_horizon(waits(1, reached="y"), waits(1, reached="y")) == np.inf
