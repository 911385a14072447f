"""The end of a job, told to the server: first all its numbers and files, then how it ended."""

import logging
import math
import time
from contextlib import suppress

from dreamer_core.remote.errors import Conflict, LeaseLost, NotFound, RemoteError, Unreachable
from dreamer_core.remote.worker_messages import Claim, Ending
from worker.outputs import Outputs
from worker.shipping import Shipper
from worker.stopping import StopOrder
from worker.tools import Tools

log = logging.getLogger(__name__)

_AGAIN_S = 2.0
_REFUSED_S = 60.0  # how long a server may answer and yet take nothing
_FILES_S = 120.0  # the same for files, for whatever reason: they stay on this machine anyway


def deliver(tools: Tools, claim: Claim, ending: Ending, outputs: Outputs, shipper: Shipper, order: StopOrder) -> None:
    """Waits for a server that is away for as long as it takes, but when the worker is to go: the lease runs out then.

    A job that is no longer ours is dropped without a word.
    """
    patience = _Patience(order, tools.settings.grace_s)
    if not order.is_lost and _flush(shipper, order, patience):
        _send_files(claim, ending, outputs, shipper, order, patience)
        _flush(shipper, order, patience)
        _say_how_far(tools, claim, shipper)
        _tell(tools, claim, ending, patience)


class _Patience:
    """Without end until the worker is asked to go, however its job ended; from then on, for a grace."""

    def __init__(self, order: StopOrder, grace_s: float) -> None:
        self._order, self._grace_s = order, grace_s
        self._until = math.inf

    @property
    def is_over(self) -> bool:
        if self._order.is_drained:
            self._until = min(self._until, time.monotonic() + self._grace_s)
        return time.monotonic() > self._until


def _flush(shipper: Shipper, order: StopOrder, patience: _Patience) -> bool:
    """False where there is nobody, or no time, to go on with."""
    refused_at = math.inf
    while not shipper.flush(1.0):
        if order.is_lost or patience.is_over:
            return False
        refused_at = min(refused_at, time.monotonic()) if shipper.is_refused else math.inf
        if time.monotonic() - refused_at > _REFUSED_S:
            log.error("the server takes no more of %s", shipper.name)
            return True
    return True


def _send_files(
    claim: Claim, ending: Ending, outputs: Outputs, shipper: Shipper, order: StopOrder, patience: _Patience
) -> None:
    until = time.monotonic() + _FILES_S
    while not order.is_lost:
        try:
            outputs.send_manifest()
            outputs.send_all(to_go_on=ending.outcome == "drained")
            return
        except LeaseLost:
            return
        except (RemoteError, OSError, ValueError) as error:  # ValueError: a manifest or a name that is none
            log.warning("%s: files were not sent: %s", claim.run_id, error)
            if time.monotonic() > until or patience.is_over:
                shipper.job_log.write(f"worker: not all files could be sent, they stay where they are: {error}")
                return
        time.sleep(_AGAIN_S)


def _say_how_far(tools: Tools, claim: Claim, shipper: Shipper) -> None:
    """The last records came after the last heartbeat: a run that is done must not stand at 90 %."""
    progress = shipper.progress()
    if progress is not None:
        with suppress(RemoteError):  # whoever does not hear this will not hear the end either, and that is repeated
            tools.client.job_heartbeat(claim.run_id, claim.token, {}, progress)


def _tell(tools: Tools, claim: Claim, ending: Ending, patience: _Patience) -> None:
    """Until it was heard. A server that broke may hear it a little later; one that says no will not."""
    broken_at = math.inf
    while not patience.is_over and time.monotonic() - broken_at < _REFUSED_S:
        try:
            state = tools.client.end_job(claim.run_id, claim.token, ending)
            log.info("%s: is now %s", claim.run_id, state)
            return
        except (Conflict, NotFound) as error:  # the lease is lost, the run is gone: no business of ours any more
            log.warning("%s: its end was refused: %s", claim.run_id, error)
            return
        except RemoteError as error:
            log.info("%s: its end was not heard: %s", claim.run_id, error)
            broken_at = math.inf if isinstance(error, Unreachable) else min(broken_at, time.monotonic())
        time.sleep(_AGAIN_S)
    log.error("%s: its end was not heard, so its lease will run out", claim.run_id)
