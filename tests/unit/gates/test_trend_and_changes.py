"""Trends and changes of level, found where they are and nowhere else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.gates.changes import find_changes
from dreamer_core.gates.trend import trend_of


def test_the_slope_is_the_middle_one_of_all_pairs() -> None:
    found = trend_of(np.arange(5.0), np.array([10.0, 8.0, 6.0, 4.0, 100.0]))
    assert found.slope == -2
    assert found.p_up > 0.2


def test_a_steady_fall_is_no_chance() -> None:
    down = trend_of(np.arange(10.0), np.arange(10.0, 0.0, -1.0))
    up = trend_of(np.arange(10.0), np.arange(10.0))
    assert down.p_down == up.p_up
    assert down.p_down < 0.001 < 0.99 < down.p_up


def test_mann_kendall_agrees_with_its_table() -> None:
    """Eight of 45 pairs go down, the score is 29 and its deviation sqrt(125): 28 / 11.18 = 2.504 sigmas."""
    values = np.array([1, 2, 3, 10, 4, 5, 6, 9, 7, 8.0])
    assert trend_of(np.arange(10.0), values).p_up == pytest.approx(0.00613, abs=1e-5)


def test_a_flat_series_has_no_trend() -> None:
    found = trend_of(np.arange(9.0), np.ones(9))
    assert found.slope == 0
    assert found.p_down > 0.4


def test_a_step_is_found_where_it_is() -> None:
    [change] = find_changes(np.array([1.0, 1.1, 0.9, 1.0, 1.05, 5.0, 5.1, 4.9, 5.0, 5.02]), alpha=0.05)
    assert (change.at, change.before, change.after) == (5, 1.0, 5.0)
    assert change.p <= 0.02


def test_two_steps_are_found_in_order() -> None:
    rng = np.random.default_rng(1)
    levels = np.repeat([1.0, 3.0, 2.0], 15) + 0.05 * rng.standard_normal(45)
    assert [change.at for change in find_changes(levels, alpha=0.01)] == [15, 30]


@pytest.mark.parametrize("count", [0, 1, 5, 6, 12])
def test_a_flat_or_short_history_has_no_change(count: int) -> None:
    assert find_changes(np.full(count, 0.1), alpha=0.01) == []


def test_noise_is_called_a_change_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(3)
    alarms = sum(bool(find_changes(rng.standard_normal(16), alpha=0.05)) for _ in range(200))
    assert alarms <= 200 * 0.05 + 2 * np.sqrt(200 * 0.05 * 0.95)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 9), min_size=6, max_size=20))
def test_the_same_history_gives_the_same_answer(values: list[int]) -> None:
    history = np.array(values, dtype=float)
    assert find_changes(history, alpha=0.2) == find_changes(history.copy(), alpha=0.2)
