"""Anybody's training loop into a run on the server, without ever waiting for the network.

from dreamer_core.remote import Client, ServerSink

client = Client()
run = client.create_run("my experiment", seed=0)
with ServerSink(client, run.id) as sink:
    for step in range(1000):
        sink.write({"env_steps": step, "Loss/total": 1 / (1 + step)})
client.finish_run(run.id)
"""

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from dreamer_core.remote.backlog import Backlog
from dreamer_core.remote.client import Client
from dreamer_core.remote.errors import Gap, RemoteError, Undelivered, Unreachable
from dreamer_core.remote.plain import plain_record

log = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LAST_PAUSE_S = 1.0, 30.0, 0.2
_AT_EXIT_S = 10.0  # what a program that ends without having closed its sink waits for it


class ServerSink:
    """A thread sends what is written, every `every_s` seconds or `batch` records, and as long as the server is away
    keeps it: `in_memory` records there, more in a file. One sink for one run: it counts the records it sends.
    """

    def __init__(
        self,
        client: Client,
        run_id: str,
        *,
        lease: str | None = None,
        every_s: float = 1.0,
        batch: int = 1000,
        in_memory: int = 10_000,
    ) -> None:
        self.run_id = run_id
        self._client, self._lease = client, lease
        self._every_s, self._batch, self._size = every_s, batch, batch
        self._backlog = Backlog(in_memory)
        self._offset: int | None = None  # asked of the server before the first batch
        self._refused, self._problem = 0, ""
        self._told: set[str] = set()
        self._is_closing = self._is_over = False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._deliver, name=f"sink of run {run_id}", daemon=True)
        self._thread.start()
        self._process = os.getpid()
        atexit.register(self._close_at_exit)

    def write(self, record: Mapping[str, Any]) -> None:
        """Never waits for the server and never raises: what is wrong is logged, and `close` tells it."""
        try:
            plain = plain_record(record, self._told)
        except Exception as error:
            self._refuse(str(error))
            return
        with self._change:
            if self._is_over:
                self._refuse("it was written after the sink was closed")
                return
            self._backlog.put(plain)
            if len(self._backlog) == self._batch:
                self._change.notify()

    def close(self, timeout_s: float = 30.0) -> None:
        """Wait until everything is there. Undelivered says what is not, and why; calling again waits again."""
        with self._change:
            self._is_closing = True
            self._change.notify()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            atexit.unregister(self._close_at_exit)
        with self._change:
            missing = len(self._backlog) + self._refused
            if missing:
                raise Undelivered(
                    f"{missing} records of run {self.run_id} did not reach {self._client.url}: "
                    f"{self._problem or f'not done after {timeout_s:g} s'}"
                )

    def _close_at_exit(self) -> None:
        """Nobody closed it: what it has is still worth sending. In a forked child it is the parent's."""
        if os.getpid() == self._process:
            try:
                self.close(_AT_EXIT_S)
            except Undelivered as undelivered:
                log.error("%s", undelivered)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.close()
        except Undelivered as undelivered:
            if error is None:
                raise
            log.error("%s", undelivered)  # the error of the loop is the one to be seen

    def _deliver(self) -> None:
        """The thread: until closed and empty, or closed and told by the server that it will not take the rest."""
        pause_s = _FIRST_PAUSE_S
        while self._wait():
            try:
                self._send()
                pause_s = _FIRST_PAUSE_S
            except Exception as error:
                self._note(str(error))
                if self._is_closing and not isinstance(error, Unreachable):
                    break
                self._pause(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        with self._change:
            self._is_over = True
            self._backlog.close()

    def _wait(self) -> bool:
        """Until there is enough to send, or for long enough. False: there is nothing more to do."""
        with self._change:
            self._change.wait_for(lambda: self._is_closing or len(self._backlog) >= self._size, self._every_s)
            return len(self._backlog) > 0 or not self._is_closing

    def _pause(self, pause_s: float) -> None:
        with self._change:
            if self._is_closing:
                self._change.wait(_LAST_PAUSE_S)
            else:
                self._change.wait_for(lambda: self._is_closing, pause_s)

    def _send(self) -> None:
        with self._change:
            records = self._backlog.first(self._size)
        if not records:
            return
        if self._offset is None:
            self._offset = self._client.records(self.run_id, limit=1).total
        try:
            total = self._client.append_metrics(self.run_id, self._offset, records, lease=self._lease)
        except Gap as gap:  # what it had acknowledged is gone, as after a power cut: the rest is still worth having
            lost, self._offset = self._offset - gap.expected, gap.expected
            self._refuse(f"the server lost {lost} records that it had taken", lost)
        except RemoteError as error:
            if error.status not in (413, 422):
                raise
            self._halve(records, error)
        else:
            self._took(len(records), total)

    def _took(self, count: int, total: int) -> None:
        assert self._offset is not None
        self._offset += count
        with self._change:
            self._backlog.drop(count)
            self._size = min(self._batch, 2 * self._size)
        if total != self._offset:
            self._offset = total
            self._refuse("somebody else writes to this run too, and the server took their records for ours", count)

    def _halve(self, records: list[Any], error: RemoteError) -> None:
        """Too much at once, or one among them is wrong: smaller batches, until it is one alone, which is left out."""
        if len(records) > 1:
            self._size = len(records) // 2
            return
        with self._change:
            self._backlog.drop(1)
            self._refuse(str(error))

    def _refuse(self, problem: str, count: int = 1) -> None:
        self._refused += count
        self._note(problem)

    def _note(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("run %s: %s", self.run_id, problem)
