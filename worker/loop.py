"""The worker: registered, heard of, and taking jobs for as long as it has room, until it is told to go."""

import logging
import threading
import time
import uuid
from dataclasses import dataclass

from dreamer_core.remote.errors import NotFound, RemoteError, Unreachable, Unreadable
from dreamer_core.remote.worker_messages import Claim, WorkerFacts, WorkerState
from worker.slots import Seat, Slots
from worker.stopping import Why
from worker.supervise import Supervision
from worker.tools import Tools

log = logging.getLogger(__name__)

_UNREADABLE_S = 60.0  # without claims, after one that was not understood: each costs a job one of its lives


@dataclass(frozen=True, kw_only=True)
class Question:
    """A claim as it is sent. Sent again as it was, when its answer was lost, it brings the job that was given then."""

    key: str
    free_gpus: int


class Worker:
    """`work` may be called from any thread, at any time, as often as one likes: the server says what there is to do."""

    def __init__(self, tools: Tools, facts: WorkerFacts, slots: Slots) -> None:
        self._tools, self._facts, self._slots = tools, facts, slots
        self._id = ""
        self._lease_s = 30.0
        self._running: list[Supervision] = []
        self._claiming = threading.Lock()  # one at a time, so that what is free is free
        self._unanswered: Question | None = None
        self._claims_from = 0.0
        self._is_leaving = threading.Event()
        self._is_gone = threading.Event()
        self._threads: list[threading.Thread] = []

    def register(self) -> None:
        """Again, it takes the place of the worker that had this name before."""
        found = self._tools.client.register_worker(self._facts)
        self._id, self._lease_s = found.id, found.lease_s
        log.info("registered as %s (%s)", self._facts.name, found.id)

    def start(self) -> None:
        """Be heard of, and look for work."""
        for target in (self._beat, self._look):
            thread = threading.Thread(target=target, name=target.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def work(self) -> None:
        """Take a job, see it through, and again, until there is none to take."""
        while (taken := self._take()) is not None:
            self._see_through(*taken)

    def leave(self) -> None:
        """No new jobs; the running ones save their state and go back to the queue."""
        self._is_leaving.set()
        with self._claiming:  # a claim that is under way must not be missed
            for supervision in self._running:
                supervision.order.ask(Why.DRAIN, "Its worker was asked to go.")

    def is_idle(self) -> bool:
        return not self._running

    def kill(self) -> None:
        for supervision in list(self._running):
            supervision.kill()

    def say_goodbye(self) -> None:
        self._is_leaving.set()
        self._is_gone.set()
        for thread in self._threads:
            thread.join(timeout=10)
        try:
            if self._id:
                self._tools.heart.worker_heartbeat(self._id, "offline", 0)
        except RemoteError as error:  # it will notice
            log.info("the server did not hear that this worker goes: %s", error)

    def _take(self) -> tuple[Supervision, Seat] | None:
        with self._claiming:
            if self._is_leaving.is_set() or not self._slots.free or time.monotonic() < self._claims_from:
                return None
            problem = self._tools.places.problem()
            if problem is not None:  # taken now, one job after the other would fail of it
                log.error("no jobs are taken: %s", problem)
                return None
            claim = self._claim()
            return None if claim is None else self._seat(claim)

    def _claim(self) -> Claim | None:
        asked = self._unanswered or Question(key=uuid.uuid4().hex, free_gpus=self._slots.free_gpus)
        self._unanswered = None
        try:
            return self._tools.heart.claim(self._id, self._facts.queues, asked.free_gpus, asked.key).claim
        except Unreachable as error:
            self._unanswered = asked
            log.info("no job was given: %s", error)
        except NotFound:
            self._introduce_again()
        except RemoteError as error:
            log.error("no job was given: %s", error)
            if isinstance(error, Unreadable):
                self._claims_from = time.monotonic() + _UNREADABLE_S
        return None

    def _seat(self, claim: Claim) -> tuple[Supervision, Seat] | None:
        held = [(running.claim.run_id, running.claim.token) for running in self._running]
        if (claim.run_id, claim.token) in held:
            log.warning("%s was given again, and runs already", claim.run_id)
            return None
        seat = self._slots.take(claim.gpus)
        if seat is None:  # its lease will run out
            log.error("%s needs %d GPUs, and %d are free", claim.run_id, claim.gpus, self._slots.free_gpus)
            return None
        try:
            supervision = Supervision(self._tools, claim, seat)
        except Exception:
            log.exception("%s: cannot be begun", claim.run_id)
            self._slots.give_back(seat)
            return None
        self._running.append(supervision)
        return supervision, seat

    def _see_through(self, supervision: Supervision, seat: Seat) -> None:
        try:
            supervision.run()
        except Exception:
            log.exception("%s: its supervision broke", supervision.claim.run_id)
        finally:
            self._slots.give_back(seat)
            with self._claiming:
                self._running.remove(supervision)

    def _look(self) -> None:
        """For when nobody wakes us up. Each job gets a thread, which then looks on by itself."""
        while not self._is_leaving.is_set():
            while (taken := self._take()) is not None:
                threading.Thread(target=self._go_on, args=taken, name=f"job-{taken[0].claim.run_id}").start()
            self._is_leaving.wait(self._tools.settings.look_s)

    def _go_on(self, supervision: Supervision, seat: Seat) -> None:
        self._see_through(supervision, seat)
        self.work()

    def _beat(self) -> None:
        while not self._is_gone.wait(self._lease_s / 4):
            state: WorkerState = "draining" if self._is_leaving.is_set() else "online"
            try:
                problem = self._tools.places.problem()
                self._lease_s = self._tools.heart.worker_heartbeat(self._id, state, self._slots.free, problem)
            except NotFound:
                self._introduce_again()
            except RemoteError as error:
                log.info("%s", error)

    def _introduce_again(self) -> None:
        log.warning("the server does not know this worker any more")
        try:
            self.register()
        except RemoteError as error:
            log.error("it does not want to know it either: %s", error)
