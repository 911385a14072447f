"""What the child says on its standard output, as JSON lines: where a run begins, and the rest in words for people."""

import os
from typing import Any

from dreamer_core.metrics.jsonsafe import loads_numbers
from worker.places import Desk
from worker.tail import LineTail

_MUCH = 16 * 2**20


class Listener:
    """Reads on from where it was. `started` is what the child keeps of records and events, once it has said so."""

    def __init__(self, desk: Desk) -> None:
        self._tail = LineTail(desk.said)
        self._freed = 0  # bytes at the beginning that take no room any more
        self.started: tuple[int, int] | None = None

    def listen(self) -> list[str]:
        """What is new, as lines for the log."""
        words: list[str] = []
        while lines := self._tail.peek(1000, 2**20):
            for line in lines:
                said = _parsed(line)
                if said.get("type") == "start":
                    self.started = (int(said.get("records", 0)), int(said.get("events", 0)))
                words += in_words(said)
            self._tail.advance(lines)
        if self._tail.offset - self._freed > _MUCH:
            # The child writes on where it was, so what lies before becomes a hole: a long run does not fill the disk.
            os.truncate(self._tail.path, 0)
            self._freed = self._tail.offset
        return words


def in_words(said: dict[str, Any]) -> list[str]:
    """A line for people, or none."""
    kind = said.get("type")
    try:
        if kind == "start":
            return [f"training continues after {said['records']} records" if said["records"] else "training begins"]
        if kind == "record" and "sps" in said:
            return [_record(said)]
        if kind == "eval":
            return [f"step {said['env_steps']:,}: evaluation, mean return {said['mean_return']:.1f}"]
        if kind == "event":
            return [f"step {said['env_steps']:,}: {said['kind']}: {said['message']}"]
    except (KeyError, TypeError, ValueError):  # by another version of the core
        return []
    return []


def _record(said: dict[str, Any]) -> str:
    parts = [f"step {said['env_steps']:,}"]
    if "Rewards/rew_avg" in said:
        parts.append(f"return {said['Rewards/rew_avg']:.1f}")
    return "  ".join([*parts, f"{said['train_steps']:,} updates", f"{said['sps']:.1f} steps/s"])


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = loads_numbers(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
