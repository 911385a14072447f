"""Being told to go, once or twice."""

import signal
import time

import pytest

from worker import signals


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_first_asks_and_the_second_insists(clock: list[float]) -> None:
    with signals.listening() as heard:
        signal.raise_signal(signal.SIGTERM)
        assert (heard.is_asked, heard.is_urged) == (True, False)
        clock[0] += 2
        signal.raise_signal(signal.SIGINT)
        assert heard.is_urged


def test_one_ctrl_c_that_arrives_twice_is_one(clock: list[float]) -> None:
    with signals.listening() as heard:
        signal.raise_signal(signal.SIGINT)
        clock[0] += 0.5
        signal.raise_signal(signal.SIGTERM)
        assert not heard.is_urged


def test_afterwards_signals_mean_what_they_meant() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals.listening():
        pass
    assert signal.getsignal(signal.SIGTERM) == before
