"""Two threads that look every few seconds: at leases, workers, what waits and what is too old; and at suites.

Not Celery's beat: that is one more process, which may be dead without anybody seeing it, and needs the broker to live.
They live exactly as long as the server. Several servers on one database may all look; each change is made once.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sqlmodel import Session

from server import repeats
from server.jobs import explain, needs, reaper, wake, workers
from server.news import News
from server.suites.advance import Suites

if TYPE_CHECKING:
    from server.house import House

_FORGET_EVERY_S = 600.0
Duty = Callable[[], None]

log = logging.getLogger(__name__)


class Timer:
    """`timer_s` of 0 in the settings turns it off: another server looks."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._stopped = threading.Event()
        self._looked_at: float | None = None  # at the leases; None where that did not work
        self._forgot_at = 0.0
        self._waker = wake.Waker()
        self._suites = Suites(house)
        queue = (self._leases, self._workers, self._needs, self._reasons, self._wake_ups, self._old_requests)
        # Apart: judging reads the numbers of many runs, and a look at the leases that comes late takes none of them.
        self._rounds = {"timer": queue, "suites": (self._verdicts, self._schedules)}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Look now, and every `timer_s` seconds from then on."""
        if self._house.settings.timer_s > 0:
            for name, duties in self._rounds.items():
                thread = threading.Thread(target=self._run, args=[duties], name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Wait for the looks under way, then no more."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def look(self) -> None:
        """Once at everything."""
        for duties in self._rounds.values():
            self._look(duties)

    def _look(self, duties: Sequence[Duty]) -> None:
        """What fails, a database that is away above all, is said and tried again next time."""
        for duty in duties:
            try:
                duty()
            except Exception:
                log.exception("the timer could not look at %s", duty.__name__.strip("_").replace("_", " "))

    def _run(self, duties: Sequence[Duty]) -> None:
        while not self._stopped.is_set():
            self._look(duties)
            self._stopped.wait(self._house.settings.timer_s)

    def _leases(self) -> None:
        house, last = self._house, self._looked_at
        self._looked_at = None
        # As a writer, though it may only read: while another process keeps the database, no worker can speak either.
        with house.database.writing() as session:
            now = house.clock()
            overdue = reaper.overdue(session, now) if self._is_on_time(last, now) else None
            if overdue is None:
                reaper.grant_grace(session, now, house.settings.lease_s)
        for run_id in overdue or ():
            self._change(partial(reaper.reap, run_id=run_id, now=house.clock()))
        self._looked_at = now

    def _is_on_time(self, last: float | None, now: float) -> bool:
        """If not, it or the database was away, and nobody could speak; or the clock was set."""
        settings = self._house.settings
        return last is not None and 0 <= now - last < settings.timer_s + settings.lease_s / 2

    def _workers(self) -> None:
        house, now, lease_s = self._house, self._house.clock(), self._house.settings.lease_s
        with house.database.reading() as session:
            silent = workers.silent(session, now, lease_s)
        if silent:
            with house.database.writing() as session:
                workers.give_up(session, silent, now, lease_s)

    def _needs(self) -> None:
        with self._house.database.reading() as session:
            is_any = needs.is_any_hopeless(session)
        if is_any:
            self._change(lambda session: needs.cancel_hopeless(session, self._house.clock()))

    def _reasons(self) -> None:
        house, now = self._house, self._house.clock()
        with house.database.reading() as session:
            stale = explain.stale_reasons(session, now, house.settings.lease_s)
        if stale:
            self._change(lambda session: explain.write_reasons(session, stale, now))

    def _wake_ups(self) -> None:
        house = self._house
        with house.database.reading() as session:
            due = self._waker.due(session, house.clock(), house.settings.lease_s)
        News(waiting=due).tell(house)

    def _old_requests(self) -> None:
        now = self._house.clock()
        if not 0 <= now - self._forgot_at < _FORGET_EVERY_S:
            self._forgot_at = now
            with self._house.database.writing() as session:
                repeats.forget(session, now)

    def _verdicts(self) -> None:
        self._suites.advance()

    def _schedules(self) -> None:
        self._suites.start_due()

    def _change(self, change: Callable[[Session], News]) -> None:
        with self._house.database.writing() as session:
            news = change(session)
        news.tell(self._house)
