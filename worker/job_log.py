"""The log of a job: one file for what the child complains of and what the worker has to say, shipped as bytes."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from dreamer_core.remote.errors import Gap

PIECE = 256 * 1024  # bytes of one request


class JobLog:
    """It begins where the log of the attempts before it ends, at byte `start` of the run's log on the server.

    `send` takes the byte from which on, and the bytes, and gives how many bytes the server has then.
    """

    def __init__(self, path: Path, send: Callable[[int, bytes], int], start: int) -> None:
        self._path, self._send = path, send
        self._start = self._known = start
        self._mark = 0
        path.touch()

    def write(self, text: str) -> None:
        """Whole lines, each by one call of the system, so they do not mix with the child's. Not worth a job."""
        with contextlib.suppress(OSError), self._path.open("ab", buffering=0) as file:
            file.write(f"{text}\n".encode(errors="replace"))

    def pump(self) -> bool:
        """Send the next piece. False when there is none yet."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._known - self._start)
                piece = file.read(PIECE)
        except FileNotFoundError:  # somebody tidied up: numbers must go on all the same
            return False
        if not piece:
            return False
        try:
            self._known = self._send(self._known, piece)
        except Gap as gap:  # the server lost the end of what it had: what of that is here goes again
            self._start, self._known = min(self._start, gap.expected), gap.expected
        return True

    def mark(self) -> None:
        self._mark = self._path.stat().st_size

    def last_lines(self, count: int, size: int = 4000) -> str:
        """At most so many of those since the mark: for an error of which nothing better is known."""
        with self._path.open("rb") as file:
            file.seek(max(self._mark, self._path.stat().st_size - size))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return "\n".join(lines[-count:])
