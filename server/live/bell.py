"""Waking up those who wait for a topic to change (a run's id, or EVERYTHING). Threads ring, coroutines listen."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

EVERYTHING = "*"


class Ear:
    """Hears what rang since it last waited, so nothing that rings between two waits is missed."""

    def __init__(self) -> None:
        self.rang = asyncio.Event()

    async def wait(self, timeout_s: float) -> bool:
        """True when it rang, False after `timeout_s` of silence."""
        try:
            await asyncio.wait_for(self.rang.wait(), timeout_s)
        except TimeoutError:
            return False
        self.rang.clear()
        return True


class Bell:
    """Only a hint within this process: a listener also looks by itself now and then, since another server may write."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ears: defaultdict[str, set[Ear]] = defaultdict(set)

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def close(self) -> None:
        """Everybody wakes up once more, finds it closed, and goes: a server cannot stop while they listen."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, list(self._ears))
            self._loop = None

    @property
    def is_open(self) -> bool:
        return self._loop is not None

    @property
    def listeners(self) -> int:
        return sum(map(len, self._ears.values()))

    def ring(self, topic: str) -> None:
        """Call after the commit: what is read when waking up must be there.

        Waking the loop costs a system call, so it is left alone where nobody listens. Who begins to listen in between
        reads afterwards, and so sees what was committed.
        """
        if self._loop is not None and (topic in self._ears or EVERYTHING in self._ears):
            self._loop.call_soon_threadsafe(self._wake, [topic, EVERYTHING])

    @contextmanager
    def listening(self, topic: str) -> Iterator[Ear]:
        ear = Ear()
        self._ears[topic].add(ear)
        try:
            yield ear
        finally:
            self._ears[topic].discard(ear)
            if not self._ears[topic]:
                del self._ears[topic]

    def _wake(self, topics: list[str]) -> None:
        for topic in topics:
            for ear in self._ears.get(topic, ()):
                ear.rang.set()
