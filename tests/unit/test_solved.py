"""When a task counts as solved: after a streak, and until half of it is gone."""

import json

from hypothesis import given
from hypothesis import strategies as st

from dreamer_core.training.solved import Solved


def after(streak: int, *ticks: tuple[int, int]) -> Solved:
    solved = Solved(streak)
    for successes, failures in ticks:
        solved.observe(successes, failures)
    return solved


def test_a_streak_solves_it() -> None:
    assert not after(3, (2, 0)).is_solved
    assert after(3, (2, 0), (1, 0)).is_solved
    assert not after(3, (2, 0), (0, 1), (2, 0)).is_solved


def test_a_failure_of_the_same_tick_counts_as_older_than_the_successes() -> None:
    assert after(3, (3, 1)).is_solved


def test_single_failures_do_not_unsolve_it_and_half_of_them_do() -> None:
    solved = after(4, (4, 0), (0, 2))
    assert solved.is_solved
    solved.observe(0, 1)
    assert not solved.is_solved


def test_without_a_streak_nothing_is_ever_solved_and_nothing_kept() -> None:
    solved = after(0, *[(1, 0)] * 5)
    assert (solved.is_solved, solved.recent) == (False, [])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=20), st.integers(0, 20))
def test_a_restored_one_goes_on_as_if_it_had_never_stopped(ticks: list[tuple[int, int]], saved_after: int) -> None:
    again = Solved(3)
    again.restore(json.loads(json.dumps(after(3, *ticks[:saved_after]).state())))
    for successes, failures in ticks[saved_after:]:
        again.observe(successes, failures)
    assert again.state() == after(3, *ticks).state()
