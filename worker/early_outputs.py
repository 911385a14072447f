"""Sends the best checkpoint and the manifest to the server while a job runs, whenever there is a new one."""

import logging
import threading

from dreamer_core.remote.errors import LeaseLost, NotFound, RemoteError
from worker.outputs import Outputs
from worker.stopping import StopOrder, Why

log = logging.getLogger(__name__)

_LOOK_S, _LONGEST_WAIT_S = 3.0, 300.0


class EarlyOutputs(threading.Thread):
    """A thread of its own: a large file must hold up neither heartbeats nor metrics. What fails is tried again."""

    def __init__(self, outputs: Outputs, order: StopOrder) -> None:
        super().__init__(name="keep", daemon=True)
        self._outputs, self._order = outputs, order
        self._is_over = threading.Event()

    def close(self) -> None:
        self._is_over.set()

    def run(self) -> None:
        wait_s = _LOOK_S
        while not self._is_over.wait(wait_s):
            try:
                self._outputs.send_manifest()
                self._outputs.send_best()
                wait_s = _LOOK_S
            except (LeaseLost, NotFound) as error:
                self._order.ask(Why.LOST, str(error))
                return
            except (
                RemoteError,
                OSError,
                ValueError,
            ) as error:  # OSError: that checkpoint has made way for a better one
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)  # each try may send gigabytes
                log.info("the best checkpoint was not sent, trying again in %.0f s: %s", wait_s, error)
