"""Columns as bytes: small where they can be, and the same bits back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.metrics.columns import Columns, pack

numbers = st.lists(
    st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(2**53), 2**53).map(float), max_size=700
)


@given(columns=st.lists(numbers, max_size=4), small=st.booleans())
def test_columns_come_back_bit_for_bit(columns: list[list[float]], small: bool) -> None:
    arrays = [np.array(column, np.float64) for column in columns]
    found = Columns(pack(arrays, small=small))
    assert len(found) == len(arrays)
    for index, array in enumerate(arrays):
        assert found.rows(index) == len(array)
        assert found[index].tobytes() == array.tobytes()


@given(first=st.integers(0, 2**40), step=st.integers(0, 2**30), count=st.integers(2, 5000))
def test_steps_at_equal_distances_take_two_numbers(first: int, step: int, count: int) -> None:
    ramp = np.array([first + step * place for place in range(count)], np.float64)
    body = pack([ramp], small=True)
    assert len(body) == 11 + 16
    assert Columns(body)[0].tolist() == ramp.tolist()


@pytest.mark.parametrize(
    ("column", "most"),
    [
        pytest.param(np.arange(4096.0) * 16, 30, id="steps"),
        pytest.param(np.full(4096, 3e-4), 30, id="a-constant"),
        pytest.param(np.full(4096, math.nan), 60, id="always-missing"),
        pytest.param(np.arange(4096) // 7 / 8, 4096, id="slow-drift"),
    ],
)
def test_what_runs_log_all_the_time_takes_little_room(column: np.ndarray, most: int) -> None:
    assert len(pack([column], small=True)) <= most


def test_noise_takes_no_more_room_than_itself() -> None:
    noise = np.random.default_rng(0).normal(size=4096)
    assert len(pack([noise], small=True)) < noise.nbytes + 20
