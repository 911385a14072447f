"""Whole lines of a file that somebody else is writing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.tail import LineTail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def test_a_file_that_is_not_there_yet_has_no_lines(path: Path) -> None:
    tail = LineTail(path)
    assert tail.peek(10, 100) == []
    tail.seek(3)
    assert (tail.count, tail.offset) == (0, 0)


def test_a_line_that_is_still_being_written_is_left_for_later(path: Path) -> None:
    path.write_bytes(b"one\ntw")
    tail = LineTail(path)
    assert tail.peek(10, 100) == [b"one"]
    path.write_bytes(b"one\ntwo\n")
    assert tail.peek(10, 100) == [b"one", b"two"]


def test_looking_does_not_move_it_on_and_advancing_does(path: Path) -> None:
    path.write_bytes(b"a\nbb\nccc\n")
    tail = LineTail(path)
    assert tail.peek(2, 100) == tail.peek(2, 100) == [b"a", b"bb"]
    tail.advance([b"a", b"bb"])
    assert (tail.count, tail.offset) == (2, 5)
    assert tail.peek(2, 100) == [b"ccc"]


def test_a_line_longer_than_the_limit_comes_alone_and_whole(path: Path) -> None:
    path.write_bytes(b"x" * 25 + b"\nshort\n")
    assert LineTail(path).peek(10, 10) == [b"x" * 25]


def test_it_can_be_put_behind_any_line(path: Path) -> None:
    path.write_bytes(b"a\nbb\nccc\nhalf")
    tail = LineTail(path)
    tail.seek(2)
    assert tail.peek(9, 99) == [b"ccc"]
    tail.seek(9)
    assert (tail.count, tail.peek(9, 99)) == (3, [])


@settings(max_examples=50)
@given(
    lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b".")), max_size=20),
    most=st.integers(1, 5),
    size=st.integers(1, 40),
)
def test_every_line_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], most: int, size: int
) -> None:
    path = tmp_path_factory.mktemp("tail") / "lines"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    tail, seen = LineTail(path), []
    while found := tail.peek(most, size):
        tail.advance(found)
        seen += found
    assert seen == lines
    assert tail.offset == path.stat().st_size
