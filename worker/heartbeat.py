"""The heartbeat of a job: keeps its lease, tells how it does, and hears whether it is to stop."""

import logging
import threading
from collections.abc import Callable, Mapping

from dreamer_core.remote import Client
from dreamer_core.remote.errors import LeaseLost, NotFound, RemoteError
from dreamer_core.remote.worker_messages import Claim, Progress
from worker.stopping import StopOrder, Why

log = logging.getLogger(__name__)

_LONGEST_S = 3.0  # somebody who cancels should not have to wait for long


class Heartbeat(threading.Thread):
    """A thread and a connection of its own: however slow an upload is, the lease is kept.

    `heart` is a client that gives up quickly: the next beat is the repetition.
    """

    def __init__(
        self,
        heart: Client,
        claim: Claim,
        order: StopOrder,
        usage: Callable[[], Mapping[str, float]],
        progress: Callable[[], Progress | None],
    ) -> None:
        super().__init__(name=f"heartbeat-{claim.run_id}", daemon=True)
        self._heart, self._claim, self._order = heart, claim, order
        self._usage, self._progress = usage, progress
        self._is_over = threading.Event()

    def close(self) -> None:
        self._is_over.set()

    def run(self) -> None:
        lease_s = self._claim.lease_s
        while not self._is_over.wait(min(lease_s / 4, _LONGEST_S)):
            try:
                lease_s = self._beat()
            except (LeaseLost, NotFound) as error:
                self._order.ask(Why.LOST, str(error))
                return
            except RemoteError as error:  # the server may be away for as long as it likes
                log.info("%s: %s", self.name, error)

    def _beat(self) -> float:
        run_id, token = self._claim.run_id, self._claim.token
        answer = self._heart.job_heartbeat(run_id, token, self._usage(), self._progress())
        if answer.cancel:
            self._order.ask(Why.CANCEL, "It was cancelled.")
        return answer.lease_s
