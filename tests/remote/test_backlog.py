"""Records that wait: the order stays, the memory is bounded, and a disk that is full loses nothing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer_core.remote.backlog import Backlog


@contextmanager
def filled(count: int, *, in_memory: int) -> Iterator[Backlog]:
    backlog = Backlog(in_memory)
    for step in range(count):
        backlog.put({"env_steps": step})
    yield backlog
    backlog.close()


def emptied(backlog: Backlog, at_once: int) -> list[Any]:
    steps = []
    while records := backlog.first(at_once):
        steps += [record["env_steps"] for record in records]
        backlog.drop(len(records))
    return steps


def test_more_than_there_is_room_for_goes_into_a_file_and_comes_back_in_order() -> None:
    with filled(1234, in_memory=10) as backlog:
        assert len(backlog) == 1234
        assert backlog.in_memory == 10 + 24  # what does not fill a block of 100 waits in memory
        assert emptied(backlog, 7) == list(range(1234))
        assert len(backlog) == 0


def test_what_was_given_stays_until_it_is_dropped() -> None:
    with filled(300, in_memory=10) as backlog:
        assert backlog.first(5) == backlog.first(5) == [{"env_steps": step} for step in range(5)]
        assert len(backlog) == 300


def test_numbers_that_are_not_finite_survive_the_file() -> None:
    with filled(0, in_memory=0) as backlog:
        for _ in range(100):
            backlog.put({"env_steps": 1, "a": float("inf"), "b": float("nan"), "c": True})
        assert backlog.in_memory == 0
        assert str(backlog.first(1)) == "[{'env_steps': 1, 'a': inf, 'b': nan, 'c': True}]"


def test_after_the_file_is_read_memory_is_used_again() -> None:
    with filled(150, in_memory=50) as backlog:
        emptied(backlog, 40)
        backlog.put({"env_steps": 7})
        assert backlog.in_memory == 1
        assert backlog.first(10) == [{"env_steps": 7}]


@pytest.mark.parametrize("written", [0, 17])
def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    class FullDisk:
        def seek(self, place: int) -> int:
            return place

        def write(self, block: bytes) -> int:
            if not written:
                raise OSError(28, "No space left on device")
            return written

        def close(self) -> None: ...

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullDisk())
    with filled(1000, in_memory=10) as backlog:
        assert emptied(backlog, 64) == list(range(1000))


@given(st.lists(st.one_of(st.integers(1, 350), st.tuples(st.integers(1, 250), st.integers(1, 250))), max_size=12))
def test_any_mixture_of_writing_and_sending_keeps_the_order(steps: list[int | tuple[int, int]]) -> None:
    backlog, written, sent = Backlog(30), 0, list[Any]()
    for step in steps:
        if isinstance(step, int):
            for _ in range(step):
                backlog.put({"env_steps": written})
                written += 1
        else:
            looked_at, dropped = step
            records = backlog.first(looked_at)[:dropped]
            backlog.drop(len(records))
            sent += [record["env_steps"] for record in records]
        assert len(backlog) == written - len(sent)
    assert sent + emptied(backlog, 100) == list(range(written))
    backlog.close()


def test_a_file_that_cannot_be_read_for_a_moment_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(1000, in_memory=10) as backlog:
        assert len(backlog.first(10)) == 10
        file = backlog._file
        assert file is not None

        class Broken:
            def seek(self, place: int) -> int:
                raise OSError(5, "Input/output error")

        monkeypatch.setattr(backlog, "_file", Broken())
        with pytest.raises(OSError, match="Input/output"):
            backlog.first(200)
        assert len(backlog) == 1000
        monkeypatch.setattr(backlog, "_file", file)
        assert emptied(backlog, 64) == list(range(1000))
