"""One growing file of JSON lines, brought to the server in order and exactly once: metrics.jsonl or events.jsonl.

The file is the truth. The server says how many lines it has, and what it has it does not take twice; so whatever was
lost on the way is sent again, and nothing is remembered here that could be wrong.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dreamer_core.metrics.jsonsafe import NUMBERS, loads
from dreamer_core.remote.errors import Gap, RemoteError
from worker.tail import LineTail

log = logging.getLogger(__name__)

LINES, SIZE = 2000, 2**20  # of one request; the server takes ten times as many
_TOO_MUCH = (400, 413, 422)

Item = dict[str, Any]


class Stream:
    """`send` takes the number of the first item and the items, and gives how many the server has then."""

    def __init__(
        self, path: Path, read: Callable[[bytes], Item], send: Callable[[int, list[Item]], int], known: int
    ) -> None:
        self._tail, self._read, self._send = LineTail(path), read, send
        self.known = known  # how many the server has, as far as it has told
        self.latest: Item = {}

    def begin(self, kept: int) -> None:
        """The file holds `kept` lines that will stay. Go on behind those of them that the server has."""
        self.known = min(self.known, kept)
        self._tail.seek(self.known)

    def pump(self) -> bool:
        """Send the next lines. False when there are none yet."""
        lines = self._tail.peek(LINES, SIZE)
        if not lines:
            return False
        try:
            self._deliver(lines)
        except Gap as gap:
            log.warning("%s: the server has %d lines, not %d; sending again", self._tail.path, gap.expected, self.known)
            self.known = gap.expected
            self._tail.seek(gap.expected)
        return True

    def _deliver(self, lines: list[bytes]) -> None:
        """A batch, or where the server refuses it, its halves, down to the line that it will not take."""
        try:
            items = [self._read(line) for line in lines]
            self.known = self._send(self._tail.count, items)
        except RemoteError as error:
            if error.status not in _TOO_MUCH:
                raise
            if len(lines) > 1:
                middle = len(lines) // 2
                self._deliver(lines[:middle])
                self._deliver(lines[middle:])
                return
            log.error("%s: line %d was refused: %s", self._tail.path, self._tail.count + 1, error)
            items = [_placeholder(self._read(lines[0]), str(error))]
            self.known = self._send(self._tail.count, items)
        self._tail.advance(lines)
        self.latest = items[-1]


def record_of(line: bytes) -> Item:
    """The numbers of a record. Who wrote it is known; a line that cannot be read keeps its place, empty."""
    found = _parsed(line)
    return {"env_steps": 0} | {key: value for key, value in found.items() if _is_number(value)}


def event_of(line: bytes) -> Item:
    return {"kind": "unreadable"} | _parsed(line)


def _parsed(line: bytes) -> Item:
    try:
        found = loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value in NUMBERS)


def _placeholder(item: Mapping[str, Any], problem: str) -> Item:
    """What keeps the place of a line that the server refuses, so that those behind it keep theirs."""
    steps = item.get("env_steps")
    place: Item = {"env_steps": max(0, steps) if isinstance(steps, int) else 0}
    return place | ({"kind": "refused", "message": problem[:500]} if "kind" in item else {})
