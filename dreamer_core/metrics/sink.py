"""Lines of strict JSON, one per record, in files that only grow: metrics.jsonl and events.jsonl.

Each line is written by one call and no file is held open, so a killed run leaves at most one torn line at the end.
It is cut off when the file is next opened for writing, and left out by readers.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

from dreamer_core.errors import UsageError, naming
from dreamer_core.metrics.jsonsafe import dumps, loads_numbers

Record = dict[str, float | int | str]

REQUIRED = ("env_steps", "train_steps", "wall_time_s")

_BLOCK = 2**20


class Sink(Protocol):
    def write(self, record: Mapping[str, float | int | str]) -> None: ...


class JsonLines:
    """A file of records that can be cut back to an earlier length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        _repair(path)

    def append(self, record: Mapping[str, Any]) -> None:
        """All of it, or where the disk is full, nothing."""
        line = (dumps(record) + "\n").encode()
        with naming(self.path), self.path.open("ab", buffering=0) as file:
            begin = file.tell()
            try:
                while line:
                    line = line[file.write(line) :]  # a disk that gets full takes a part, and refuses the rest
            except OSError:
                file.truncate(begin)
                raise

    def offset(self) -> int:
        """How many bytes there are, all of them safely on the disk: for a checkpoint to remember."""
        with self.path.open("ab") as file:
            os.fsync(file.fileno())
            return file.tell()

    def count(self) -> int:
        """How many records there are."""
        with self.path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))

    def truncate(self, offset: int) -> None:
        """Drop what was written after `offset` was asked for."""
        with self.path.open("r+b") as file:
            file.seek(max(0, offset - 1))
            if offset and file.read(1) != b"\n":
                raise UsageError(
                    f"{self.path} has no record that ends at byte {offset}, where the checkpoint was made: it was "
                    "changed since; put the original file back, or remove it and start a new run"
                )
            file.truncate(offset)
            os.fsync(file.fileno())


class JsonlSink(JsonLines):
    """metrics.jsonl: each record says when it was, in steps of the environment, in updates and in seconds."""

    def write(self, record: Mapping[str, float | int | str]) -> None:
        missing = [key for key in REQUIRED if key not in record]
        if missing:
            raise ValueError(f"a record needs {', '.join(REQUIRED)}; this one has no {', '.join(missing)}")
        self.append(record)


class EventLog(JsonLines):
    """events.jsonl: what happened at which step, for people and for gates."""

    def write(self, kind: str, *, env_steps: int, train_steps: int, **facts: Any) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.append({"kind": kind, "env_steps": env_steps, "train_steps": train_steps, "at": at, **facts})


def read_records(path: Path) -> list[Record]:
    """Every whole record, in order, NaN and infinities as numbers. A line that is still being written is left out."""
    lines = path.read_bytes().split(b"\n")
    if not _is_record(lines[-1]):
        lines.pop()
    return [_parse(line, path, number) for number, line in enumerate(lines, start=1)]


def _parse(line: bytes, path: Path, number: int) -> Record:
    if not _is_record(line):
        raise UsageError(f"{path} is damaged: line {number} is not a JSON object: {line[:80]!r}")
    return cast("Record", loads_numbers(line))


def _repair(path: Path) -> None:
    """Make the file end with a whole line. A record that lacks only its line end is kept."""
    content = path.read_bytes()
    torn = content.rpartition(b"\n")[2]
    if not torn:
        return
    with path.open("r+b") as file:
        if _is_record(torn):
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        else:
            file.truncate(len(content) - len(torn))


def _is_record(line: bytes) -> bool:
    try:
        return isinstance(loads_numbers(line), dict)
    except (ValueError, RecursionError):
        return False
