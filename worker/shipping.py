"""Brings what a job's files say to the server, for as long as it takes: when the server is away, later."""

import logging
import threading

from dreamer_core.remote import Client
from dreamer_core.remote.errors import LeaseLost, NotFound, RemoteError, Unreachable
from dreamer_core.remote.worker_messages import Claim, Progress
from dreamer_core.runs.folder import RunFolder
from worker.job_log import JobLog
from worker.places import Desk
from worker.stopping import StopOrder, Why
from worker.streams import Item, Stream, event_of, record_of

log = logging.getLogger(__name__)

_LOOK_S = 0.5  # how often the files are looked at
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 10.0  # after the server did not answer


class Shipper(threading.Thread):
    """The only one that sends metrics, events and log of a job, so they arrive in order.

    The log goes at any time. Metrics and events go only between `open` and `shut`: while no child writes, their files
    may hold lines that a resumed one will take back.
    """

    def __init__(self, client: Client, claim: Claim, folder: RunFolder, desk: Desk, order: StopOrder) -> None:
        super().__init__(name=f"ship-{claim.run_id}", daemon=True)
        run_id, lease = claim.run_id, claim.token

        def send_records(first: int, items: list[Item]) -> int:
            return client.append_metrics(run_id, first, items, lease=lease)

        def send_events(first: int, items: list[Item]) -> int:
            return client.append_events(run_id, first, items, lease=lease)

        def send_log(start: int, piece: bytes) -> int:
            return client.append_log(run_id, start, piece, lease=lease)

        def rewind(records: int, events: int) -> None:
            client.rewind(run_id, records, events, lease)

        self.job_log = JobLog(desk.log, send_log, claim.log_bytes)
        self._records = Stream(folder.metrics, record_of, send_records, claim.records)
        self._events = Stream(folder.events, event_of, send_events, claim.events)
        self._rewind, self._order = rewind, order
        self._lock = threading.Lock()  # of what follows
        self._is_open, self._kept = False, (0, 0)
        self._must_rewind = False
        self._is_done = False
        self._rounds = threading.Condition()  # of what follows
        self._asked = self._answered = 0  # rounds that somebody waits for, and those of them that sent everything
        self.is_refused = False  # the server answers, and does not take it

    def open(self, records: int, events: int) -> None:
        """A child writes behind so many lines. What the server has beyond them is about to be written again."""
        with self._lock:
            self._is_open, self._kept, self._must_rewind = True, (records, events), True

    def shut(self) -> None:
        """The child is gone and another one may follow. Waits for what is being sent."""
        with self._lock:
            self._is_open = False

    def flush(self, timeout_s: float) -> bool:
        """Whether all that the files hold now has arrived by then."""
        with self._rounds:
            self._asked += 1
            wanted = self._asked
            self._rounds.notify_all()
            return self._rounds.wait_for(lambda: self._answered >= wanted, timeout_s)

    def close(self) -> None:
        with self._rounds:
            self._is_done = True
            self._rounds.notify_all()

    def progress(self) -> Progress | None:
        """As the newest record tells it."""
        latest = self._records.latest
        if not isinstance(latest.get("env_steps"), int):
            return None
        speed, updates = latest.get("sps"), latest.get("train_steps")
        return Progress(
            env_steps=latest["env_steps"],
            train_steps=updates if isinstance(updates, int) else None,
            steps_per_s=float(speed) if isinstance(speed, int | float) else None,
        )

    def run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._is_done:
            asked, pause_s = self._asked, _LOOK_S
            try:
                self._send_all()
                self._answer(asked)
                wait_s, self.is_refused = _FIRST_WAIT_S, False
            except (LeaseLost, NotFound) as error:
                self._order.ask(Why.LOST, str(error))
                return
            except (RemoteError, OSError) as error:
                self.is_refused = not isinstance(error, Unreachable)
                log.log(logging.ERROR if self.is_refused else logging.INFO, "%s: trying again: %s", self.name, error)
                pause_s, wait_s = wait_s, min(2 * wait_s, _LONGEST_WAIT_S)
            except Exception:  # without this thread nobody would ever hear of the job's end
                self.is_refused = True
                log.exception("%s: a mistake of the worker", self.name)
                pause_s, wait_s = wait_s, min(2 * wait_s, _LONGEST_WAIT_S)
            with self._rounds:
                self._rounds.wait_for(lambda: self._is_done or self._asked > asked, pause_s)  # noqa: B023

    def _answer(self, asked: int) -> None:
        with self._rounds:
            self._answered = asked
            self._rounds.notify_all()

    def _send_all(self) -> None:
        while self._send_some() and not self._is_done:
            pass

    def _send_some(self) -> bool:
        """One request or a few. Whether there was anything to send."""
        sent = self.job_log.pump()
        with self._lock:
            if not self._is_open:
                return sent
            if self._must_rewind:
                self._rewind(*self._kept)
                self._records.begin(self._kept[0])
                self._events.begin(self._kept[1])
                self._must_rewind = False
            # Both, always: an `or` would skip the second.
            return any([sent, self._records.pump(), self._events.pump()])
