"""One child of a job, watched from its start to its end: told to stop, given time, and killed when that is over."""

import logging
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dreamer_core.remote.worker_messages import Claim
from worker.child import Child
from worker.child_output import Listener
from worker.places import Desk
from worker.shipping import Shipper
from worker.slots import Seat
from worker.starting_point import StartingPoint
from worker.stopping import StopOrder, Why
from worker.usage import Meter, Usage, exceeded

log = logging.getLogger(__name__)

_LOOK_S = 0.2
_METER_S = 2.0
_SECRETS = tuple(f"DREAMGATE_{name}" for name in ("TOKEN", "BROKER_URL", "DATABASE_URL", "SOURCE_REPO", "LOGIN_CODE"))


class Watch:
    """What is known of the child while it runs; read by the heartbeat, from another thread."""

    def __init__(
        self, claim: Claim, seat: Seat, desk: Desk, order: StopOrder, shipper: Shipper, grace_s: float
    ) -> None:
        self._claim, self._seat, self._desk = claim, seat, desk
        self._order, self._shipper, self._grace_s = order, shipper, grace_s
        self._begun = time.monotonic()
        self.usage: Usage = {}
        self.peak: Usage = {}
        self.child: Child | None = None
        self.has_started = False  # it has said so: what its manifest says is of this attempt

    def run(self, command: Sequence[str], start: StartingPoint, source: Path | None) -> int:
        """Its exit code, when it has ended, however it did."""
        environment = child_environment(os.environ, self._seat, source)
        self.has_started = False
        self._shipper.job_log.mark()
        self.child = Child(
            command, folder=self._desk.path, environment=environment, stdout=self._desk.said, stderr=self._desk.log
        )
        log.info("%s: process %d: %s", self._claim.run_id, self.child.pid, " ".join(command))
        if self._claim.kind != "train":  # no past to be taken back
            self._begin(0, 0)
        try:
            return self._see_through(self.child, Meter(self.child.pid, start.folder.path, self._seat.gpus))
        finally:
            self.child.kill()  # where it has not ended, we have failed

    def _see_through(self, child: Child, meter: Meter) -> int:
        listener, metered_at, kill_at = Listener(self._desk), -_METER_S, None
        while (code := child.poll()) is None:
            self._listen(listener)
            if time.monotonic() - metered_at >= _METER_S or not self.usage.get("rss_mib"):  # not yet to be seen
                metered_at = time.monotonic()
                self._measure(meter)
            if self._order and kill_at is None:
                kill_at = time.monotonic() + self._grace_s
                self._shipper.job_log.write(f"worker: asked to stop: {self._order.reason}")
                child.stop()
            if kill_at is not None and time.monotonic() > kill_at:
                kill_at = math.inf
                self._shipper.job_log.write(f"worker: killed: it did not stop within {self._grace_s:.0f} s")
                child.kill()
            time.sleep(_LOOK_S)
        self._listen(listener)
        return code

    def _listen(self, listener: Listener) -> None:
        for words in listener.listen():
            self._shipper.job_log.write(words)
        if listener.started is not None and not self.has_started:
            self._begin(*listener.started)

    def _begin(self, records: int, events: int) -> None:
        self.has_started = True
        self._shipper.open(records, events)

    def _measure(self, meter: Meter) -> None:
        self.usage = meter.sample()
        self.peak = {key: max(value, self.peak.get(key, 0.0)) for key, value in meter.peak.items()}
        problem = exceeded(self._claim.limits, self.usage, time.monotonic() - self._begun)
        if problem is not None:
            self._order.ask(Why.LIMIT, problem)


def child_environment(own: Mapping[str, str], seat: Seat, source: Path | None) -> dict[str, str]:
    """Ours without what opens doors, with what the job may use and, for a commit, where its code lies."""
    environment = {key: value for key, value in own.items() if key not in _SECRETS} | seat.environment
    if source is not None:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(source), own.get("PYTHONPATH", "")]))
    return environment
