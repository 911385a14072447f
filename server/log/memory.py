"""What was worked out for a log, remembered: a run that has ended is worked out once, and not for each who looks."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from server.log.out import LogOut

MOST_RUNS = 4_000  # some 5 KB each
_MOST_LOGS = 4  # some 5 MB each for a thousand runs

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """By run, each true as long as the run is in the state that it was worked out in. The oldest are forgotten."""

    def __init__(self, most: int = MOST_RUNS) -> None:
        self._most = most
        self._turn = threading.Lock()
        self._known: OrderedDict[str, tuple[Hashable, Value]] = OrderedDict()

    def recall(self, states: Mapping[str, Hashable]) -> dict[str, Value]:
        """Of the runs that are still in this state."""
        with self._turn:
            found = {run_id: self._known[run_id] for run_id in states if run_id in self._known}
            for run_id in found:
                self._known.move_to_end(run_id)
        return {run_id: value for run_id, (state, value) in found.items() if state == states[run_id]}

    def keep(self, states: Mapping[str, Hashable], values: Mapping[str, Value]) -> None:
        with self._turn:
            for run_id, value in values.items():
                self._known[run_id] = states[run_id], value
                self._known.move_to_end(run_id)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


@dataclass(frozen=True)
class Memory:
    finals: Remembered[dict[str, float]] = field(default_factory=Remembered)
    configs: Remembered[dict[str, Any]] = field(default_factory=Remembered)
    logs: Remembered[LogOut] = field(default_factory=lambda: Remembered(_MOST_LOGS))  # by experiment and size
