"""Records that wait to be sent, oldest first: some in memory and, when those are too many, the others in a file."""

import errno
import logging
import tempfile
from collections import deque
from io import RawIOBase
from itertools import islice
from typing import cast

from dreamer_core.metrics.jsonsafe import dumps, loads_numbers
from dreamer_core.remote.numbers import Record

log = logging.getLogger(__name__)

_BLOCK = 100  # records that go into the file at once


class Backlog:
    """The head in memory, blocks in a file without a name, the tail in memory. Not for two threads at once."""

    def __init__(self, in_memory: int) -> None:
        self._room = in_memory
        self._head: deque[Record] = deque()
        self._blocks: deque[tuple[int, int]] = deque()  # bytes and records of each
        self._tail: list[Record] = []
        self._spill_at = _BLOCK
        self._file: RawIOBase | None = None
        self._read_at = self._written_to = 0  # where the first block begins, and where the last one ends
        self._in_file = 0

    def __len__(self) -> int:
        return self.in_memory + self._in_file

    @property
    def in_memory(self) -> int:
        return len(self._head) + len(self._tail)

    def put(self, record: Record) -> None:
        if not self._blocks and not self._tail and len(self._head) < self._room:
            self._head.append(record)
            return
        self._tail.append(record)
        if len(self._tail) >= self._spill_at:
            self._spill()

    def first(self, count: int) -> list[Record]:
        """The `count` oldest, which stay here until they are dropped."""
        while self._blocks and len(self._head) < count:
            self._head.extend(self._read_block())
        if not self._blocks:
            self._head.extend(self._tail)
            self._tail.clear()
        return list(islice(self._head, count))

    def drop(self, count: int) -> None:
        """Of those that `first` gave."""
        for _ in range(count):
            self._head.popleft()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _spill(self) -> None:
        """The tail becomes a block. Where that is not possible it stays in memory: nothing is dropped."""
        block = b"".join(dumps(record).encode() + b"\n" for record in self._tail)
        try:
            self._append(block)
        except OSError as error:
            log.warning("records that wait for the server stay in memory, no file takes them: %s", error)
            self._spill_at = 2 * len(self._tail)
            return
        self._blocks.append((len(block), len(self._tail)))
        self._written_to += len(block)
        self._in_file += len(self._tail)
        self._tail.clear()
        self._spill_at = _BLOCK

    def _append(self, block: bytes) -> None:
        if self._file is None:
            temporary = tempfile.TemporaryFile(prefix="dreamgate-records-", buffering=0)  # noqa: SIM115 - until close()
            self._file = cast("RawIOBase", temporary)
        self._file.seek(self._written_to)
        if self._file.write(block) != len(block):
            raise OSError(errno.ENOSPC, "the disk is full")

    def _read_block(self) -> list[Record]:
        assert self._file is not None
        size, count = self._blocks[0]
        self._file.seek(self._read_at)
        records = [loads_numbers(line) for line in (self._file.read(size) or b"").splitlines()]
        if len(records) != count:
            raise OSError(errno.EIO, "the file of records that wait for the server cannot be read")
        self._blocks.popleft()  # only now: what cannot be read this time is not lost, and counts as missing
        self._read_at += size
        self._in_file -= count
        if not self._blocks:
            self._read_at = self._written_to = 0
            self._file.truncate(0)
        return records
