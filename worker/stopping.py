"""Why a job is to stop: several may ask, from several threads, and the weightiest reason is the one that counts."""

import threading
from enum import IntEnum


class Why(IntEnum):
    """From light to heavy."""

    DRAIN = 1  # the worker goes; the job goes back to the queue
    LIMIT = 2  # it used more than it was allowed
    CANCEL = 3  # somebody does not want it any more
    LOST = 4  # it is no longer ours: whatever we do does not count


class StopOrder:
    def __init__(self) -> None:
        self.why: Why | None = None
        self.reason = ""
        self.is_drained = False  # the worker goes, whatever weightier reason there is beside
        self._lock = threading.Lock()
        self._asked = threading.Event()

    def __bool__(self) -> bool:
        return self.why is not None

    @property
    def is_lost(self) -> bool:
        return self.why is Why.LOST

    def ask(self, why: Why, reason: str) -> None:
        with self._lock:
            self.is_drained |= why is Why.DRAIN
            if self.why is None or why > self.why:
                self.why, self.reason = why, reason
        self._asked.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether somebody has asked by then."""
        return self._asked.wait(timeout_s)
