"""One `up` per data folder. Locks that the system takes back from the dead, and a note of who holds them and where."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from dreamer_core.errors import DreamgateError, UsageError


class DataInUseError(UsageError):
    """Another `up` runs on this data folder."""


class LeftoversError(DreamgateError):
    """An earlier `up` was killed, and what it had started does not end."""


class DataLock:
    def __init__(self, file: IO[str], children: int) -> None:
        self._file = file
        self.children = children  # a file that children keep open: as long as one of them lives, the folder is theirs

    def note(self, address: str) -> None:
        """For the next one, who is told where this one runs."""
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"pid": os.getpid(), "address": address}))
        self._file.flush()


@contextlib.contextmanager
def hold(data: Path, say: Callable[[str], None], *, patience_s: float = 30.0) -> Iterator[DataLock]:
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    with (data / "up.lock").open("a+") as file, (data / "children.lock").open("a") as children:
        if not _lock(file):
            raise DataInUseError(f"{_holder(file, data)} Stop that one, or choose another folder with --data.")
        file.truncate(0)
        _wait_for_leftovers(children, data, say, patience_s)
        yield DataLock(file, children.fileno())


def _wait_for_leftovers(children: IO[str], data: Path, say: Callable[[str], None], patience_s: float) -> None:
    """Two brokers on one file would ruin it, and two servers cannot have one port."""
    if _lock(children):
        return
    say("an earlier `up` was killed; waiting until what it had started has ended")
    until = time.monotonic() + patience_s
    while not _lock(children):
        if time.monotonic() > until:
            raise LeftoversError(
                f"the server or broker of an earlier `up` still runs on {data}; end it (`lsof {children.name}`)"
            )
        time.sleep(0.1)


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str], data: Path) -> str:
    file.seek(0)
    try:
        note = json.loads(file.read())
        return f"Dreamgate already runs on {data}: {note['address']}, process {note['pid']}."
    except (ValueError, KeyError, TypeError):
        return f"Dreamgate is just starting or stopping on {data}."
