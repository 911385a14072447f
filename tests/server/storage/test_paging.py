"""Cursors: values in, the same values out, and nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import paging
from server.errors import InvalidError

_texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(at=st.floats(allow_nan=False, allow_infinity=False), name=_texts, number=st.integers(0, 2**53))
def test_a_cursor_brings_its_values_back(at: float, name: str, number: int) -> None:
    assert paging.decode(paging.encode(at, name, number), float, str, int) == [at, name, number]


@given(st.text())
def test_whatever_else_comes_is_refused_in_words(cursor: str) -> None:
    with pytest.raises(InvalidError, match="not a cursor"):
        paging.decode(cursor, float, str, int, str, str)


@pytest.mark.parametrize(
    "text", ['[true, "a"]', '["a", 1]', "[1]", "{}", "1", "[" * 5000, "[1e999999, 5]", '[1, "\\u0000"]']
)
def test_values_of_another_kind_are_refused(text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    with pytest.raises(InvalidError):
        paging.decode(cursor, float, str)
