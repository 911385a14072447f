"""An upload: bytes from the network into the store, and once all are there, the row that names them."""

import logging
from collections.abc import AsyncIterator

from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from server.errors import ApiError, InvalidError
from server.files import artifacts, content, names
from server.files.artifacts import Put
from server.files.store import Incoming
from server.house import House
from server.jobs.lease import require_lease

log = logging.getLogger(__name__)

_GATHERED = 1 << 20  # the network gives small pieces; each way into a thread costs as much as writing a few


class Upload:
    def __init__(self, house: House, run_id: str, name: str, token: str | None) -> None:
        self.house, self.run_id, self.name, self.token = house, run_id, name, token

    def check(self) -> None:
        """What can be refused before the first byte is."""
        names.check(self.name)
        # Not `reading`, though nothing is written: Postgres refuses to hold a row that changed since a reader began.
        with self.house.database.writing() as session:
            require_lease(session, self.run_id, self.token, final_will_do=True)

    async def receive(self, stream: AsyncIterator[bytes], sha256: str | None) -> Put:
        incoming = await run_in_threadpool(self.house.store.begin)
        try:
            await _pour(stream, incoming)
            return await run_in_threadpool(self._finish, incoming, sha256)
        except ClientDisconnect:
            raise ApiError("The upload ended before its end; nothing of it was kept.") from None
        finally:
            await run_in_threadpool(incoming.close)

    def _finish(self, incoming: Incoming, promised: str | None) -> Put:
        sha256 = incoming.settle()
        if promised is not None and promised.lower() != sha256:
            raise InvalidError(
                "The bytes that arrived are not those that X-Sha256 promises; nothing was kept.",
                where="X-Sha256",
                seen=sha256,
                todo="Send the file again.",
            )
        try:
            with self.house.database.writing() as session:
                # Before the run is held: far away this takes as long as a copy, and nobody could renew its lease.
                content.lock(session, sha256)
                incoming.keep()
                require_lease(session, self.run_id, self.token, final_will_do=True)
                put = artifacts.put(session, self.run_id, self.name, incoming.size, sha256, self.house.clock())
        except Exception:
            drop_if_unused(self.house, sha256)  # in place already, perhaps, and without a row
            raise
        if put.replaced is not None:
            drop_if_unused(self.house, put.replaced)
        return put


def drop_if_unused(house: House, sha256: str) -> None:
    """What fails here must not turn a change that is made into an error: it leaves a file that nobody names."""
    try:
        with house.database.writing() as session:
            content.drop_if_unused(session, house.store, sha256)
    except Exception:
        log.exception("the content %s may be left in the store without a name", sha256)


async def _pour(stream: AsyncIterator[bytes], incoming: Incoming) -> None:
    gathered = bytearray()
    async for chunk in stream:
        gathered += chunk
        if len(gathered) >= _GATHERED:
            await run_in_threadpool(incoming.write, bytes(gathered))
            gathered.clear()
    await run_in_threadpool(incoming.write, bytes(gathered))
