"""One number out of a series, by hand."""

import math

import numpy as np
import pytest

from dreamer_core.gates.measure import deviation, first_reach, lower_median, mean_height, thin, upper_median
from dreamer_core.gates.words import count, kind_of, number, share, some
from tests.unit.gates.values import INF, NAN, series


@pytest.mark.parametrize(
    ("values", "lower", "upper"), [([5], 5, 5), ([1, 9], 1, 9), ([3, 1, 2], 2, 2), ([4, 1, 3, 2], 2, 3)]
)
def test_of_two_in_the_middle_one_is_chosen(values: list[float], lower: float, upper: float) -> None:
    assert lower_median(np.array(values, dtype=float)) == lower
    assert upper_median(np.array(values, dtype=float)) == upper


def test_deviation_is_the_middle_distance() -> None:
    assert deviation(np.array([1.0, 2.0, 10.0]), 2.0) == 1.0


def test_mean_height_is_the_area_over_the_distance() -> None:
    curve = series(0, 10, 10, steps=[0, 10, 20])
    assert mean_height(curve, 0, 20) == 7.5
    assert mean_height(curve, 5, 15) == pytest.approx(8.75)  # 5..10 climbs from 5 to 10, then it is flat


@pytest.mark.parametrize(("low", "high"), [(-1, 10), (0, 21), (10, 10)])
def test_a_curve_that_does_not_span_the_steps_has_no_height(low: float, high: float) -> None:
    assert math.isnan(mean_height(series(0, 10, 10, steps=[0, 10, 20]), low, high))


def test_one_point_is_no_curve() -> None:
    assert math.isnan(mean_height(series(1), 100, 100))


def test_a_level_is_reached_from_the_good_side() -> None:
    curve = series(1, 5, 3)
    assert first_reach(curve, 4, higher=True) == 1
    assert first_reach(curve, 1, higher=False) == 0
    assert first_reach(curve, 6, higher=True) is None
    assert first_reach(curve, 0, higher=False) is None


def test_a_short_series_is_left_as_it_is() -> None:
    short = series(1, 2)
    assert thin(short, 2) is short


def test_stretches_become_their_lower_median_at_the_step_where_they_end() -> None:
    thinned = thin(series(1, 2, 3, 40, 5, 6, 7), 3)
    assert thinned.values.tolist() == [2, 6, 7]
    assert thinned.steps.tolist() == [300, 600, 700]
    assert thin(series(1, 2, 3, 4), 2).values.tolist() == [1, 3]


def test_nan_is_not_thinned_away() -> None:
    assert np.isnan(thin(series(1, NAN, 3, 4, INF), 2).values).tolist() == [True, True]
    assert np.isnan(thin(series(1, 2, 3, 4, INF), 2).values).tolist() == [False, True]


def test_numbers_are_said_shortly() -> None:
    assert number(123.4567891) == "123.457"
    assert share(-0.125) == "-12.5%"
    assert [count(amount, "seed") for amount in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]
    assert [kind_of(value) for value in (NAN, INF, -INF)] == ["NaN", "+Inf", "-Inf"]
    assert some(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 more"
    assert some(["a"]) == "a"
