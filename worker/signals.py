"""Being told to go: the first SIGTERM or Ctrl-C asks, a second one insists."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A Ctrl-C reaches every process of the terminal, and whoever started us may pass it on as well: both are one wish.
_ECHO_S = 1.0


class Signals:
    """Plain values: a handler that took a lock could wait for the very thread that it interrupts."""

    def __init__(self) -> None:
        self.is_asked = self.is_urged = False
        self._at = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.is_asked and time.monotonic() - self._at > _ECHO_S:
            self.is_urged = True
        if not self.is_asked:
            self.is_asked, self._at = True, time.monotonic()


@contextmanager
def listening() -> Iterator[Signals]:
    signals = Signals()
    before = {number: signal.signal(number, signals) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
