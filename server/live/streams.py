"""Server-sent events: one coroutine per open stream, which takes a thread only while it looks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from dreamer_core.metrics.jsonsafe import dumps
from server.errors import UnavailableError
from server.live.bell import Bell
from server.live.messages import Message
from server.live.readers import Reader

log = logging.getLogger(__name__)

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # the second: nginx must not collect what is live
_LOOKS_AT_ONCE = 4  # a slow database must not take all threads of the server for its streams
_BEAT = ": still here\n\n"

Messages = Sequence[Message[Any]]


@dataclass(frozen=True)
class Pace:
    look_s: float = 2.0  # without a bell: another server may have written
    rest_s: float = 0.1  # between two looks, however often it rings
    beat_s: float = 15.0  # of silence, then a comment: proxies close what is silent for long
    end_s: float = 1.0  # after the end of a run, for what its worker still says
    retry_ms: int = 2000


class Streams:
    def __init__(self, most: int = 100, pace: Pace | None = None) -> None:
        self.most, self.pace = most, pace or Pace()
        self.open = 0
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)

    async def answer(self, bell: Bell, reader: Reader) -> StreamingResponse:
        """The first look comes before the answer begins, so that a wrong request can still be answered as one."""
        first = await self._look(reader)
        if self.open >= self.most:
            raise UnavailableError(
                f"{self.open} streams are open, and no more are allowed at once.",
                todo="Close one, or ask now and then.",
            )
        return StreamingResponse(self._stream(bell, reader, first), 200, _HEADERS, "text/event-stream")

    async def _stream(self, bell: Bell, reader: Reader, messages: Messages) -> AsyncIterator[str]:
        self.open += 1
        try:
            yield f"retry: {self.pace.retry_ms}\n\n"
            if not messages:  # an id without data is no event, but a browser remembers it
                yield f"id: {reader.cursor}\n\n"
            async for said in self._follow(bell, reader, messages):
                yield said
        finally:
            self.open -= 1

    async def _follow(self, bell: Bell, reader: Reader, messages: Messages) -> AsyncIterator[str]:
        pace, now = self.pace, asyncio.get_running_loop().time
        over_since: float | None = None
        spoke = looked = now()
        with bell.listening(reader.topic) as ear:
            ear.rang.set()  # nobody listened between the first look and now
            while bell.is_open:
                if messages or now() - spoke >= pace.beat_s:
                    yield "".join(map(_encoded, messages)) or _BEAT
                    spoke = now()
                over_since = (over_since or now()) if reader.is_over else None
                if not messages and over_since is not None and now() - over_since >= pace.end_s:
                    yield f"id: {reader.cursor}\nevent: end\ndata: {{}}\n\n"
                    return
                if not messages:
                    await ear.wait(pace.look_s if over_since is None else pace.end_s)
                await asyncio.sleep(looked + pace.rest_s - now())
                looked = now()
                messages = await self._patient_look(reader)

    async def _patient_look(self, reader: Reader) -> Messages:
        """A database that is away comes back, and who listens then goes on without a new connection."""
        try:
            return await self._look(reader)
        except (OperationalError, PoolTimeoutError) as error:
            log.warning("a stream of %s could not look: %s", reader.topic, error)
            return ()

    async def _look(self, reader: Reader) -> Messages:
        async with self._looks:
            return await run_in_threadpool(reader.look)


def _encoded(message: Message[Any]) -> str:
    return f"id: {message.cursor}\nevent: {message.name}\ndata: {dumps(message.data)}\n\n"
