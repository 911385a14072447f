"""What the timer does for suites: judges what is over, stops what is decided, and starts what is due."""

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import Session, col, select

from dreamer_core.errors import UsageError
from dreamer_core.gates import Evidence, Gate, Verdict
from dreamer_core.suites import stored_suite
from dreamer_core.suites.cron import Schedule
from server import tables
from server.errors import ApiError
from server.gates import baselines, evidence, results
from server.news import News
from server.suites import applied, early, finish, judging, progress, runs
from server.suites.progress import Progress
from server.suites.start import Asked, start, start_again
from server.tables import RunState, SuiteRun, SuiteState

if TYPE_CHECKING:
    from server.house import House

_LOOK_EVERY_S = 30.0  # at what could be stopped early: that reads all the numbers of runs under way

log = logging.getLogger(__name__)


class Suites:
    """Several servers may all look; each step is made once, because the suite run is held for it."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self._looked_at: dict[str, float] = {}

    def advance(self) -> None:
        """Every suite run that is under way, as far as it can go."""
        with self._house.database.reading() as session:
            going = session.exec(select(SuiteRun.id).where(SuiteRun.state == SuiteState.RUNNING)).all()
        self._looked_at = {run_id: at for run_id, at in self._looked_at.items() if run_id in going}
        for run_id in going:
            try:
                self._advance(run_id)
            except Exception:  # one that cannot be judged must not keep the others waiting
                log.exception("suite run %s could not be advanced", run_id)

    def start_due(self) -> None:
        """Scheduled suites whose time has come. What was missed while no server ran is made up for once."""
        now = self._house.clock()
        with self._house.database.reading() as session:
            rows = [row for row in session.exec(applied.newest()) if _is_due(row, now)]
        for row in rows:
            try:
                self._start(row, now)
            except (ApiError, UsageError) as error:  # tried again when its time comes next; nobody is kept waiting
                log.warning("suite %s could not be started: %s", row.name, error)
                with self._house.database.writing() as session:
                    _take(session, row, now)

    def _advance(self, run_id: str) -> None:
        with self._house.database.reading() as session:
            run = runs.get(session, run_id)
            scenarios = progress.of(session, run)
            due = {one.scenario.name: judging.judge(session, run, one) for one in scenarios if one.is_due}
            stops = self._stops(session, run, scenarios)
        if due or stops or all(one.verdict is not None for one in scenarios):
            self._write(run_id, due, stops)

    def _write(self, run_id: str, due: dict[str, judging.Verdicts], stops: dict[str, str]) -> None:
        house, news = self._house, News()
        with house.database.writing() as session:
            run = runs.hold(session, run_id)
            if run.state != SuiteState.RUNNING:
                return
            for one in progress.of(session, run):
                name = one.scenario.name
                if name in due and one.is_due:  # nobody else has judged it meanwhile
                    news.add(self._keep(session, run, one, due[name]))
                elif name in stops and one.waits_for and name not in run.stopped:
                    news.add(_stop(session, run, name, stops[name], house.clock()))
            scenarios = progress.of(session, run)
            if all(one.verdict is not None for one in scenarios):
                finish.finish(session, run, scenarios, house.clock())
        news.tell(house)

    def _keep(self, session: Session, run: SuiteRun, one: Progress, said: judging.Verdicts) -> News:
        """A red verdict counts only when it was confirmed as often as the suite asks."""
        house, now = self._house, self._house.clock()
        again = said.verdict is Verdict.FAIL and one.attempt <= run.body.get("confirm", 0) and bool(one.steps)
        place = results.Place(suite_run_id=run.id, scenario=one.scenario.name, is_final=not again)
        for judged in said.judged:
            results.keep(session, judged, now, place)
        if not again:
            return News()
        return start_again(session, run, one.scenario, one.attempt + 1, now, house.settings.lease_s)

    def _stops(self, session: Session, run: SuiteRun, scenarios: list[Progress]) -> dict[str, str]:
        """The scenarios whose jobs can change nothing any more, and why."""
        suite, now = stored_suite(run.body), self._house.clock()
        if suite.stop_early == "never" or 0 <= now - self._looked_at.get(run.id, 0) < _LOOK_EVERY_S:
            return {}
        self._looked_at[run.id] = now
        found = {}
        for one in scenarios:
            if one.verdict is None and one.waits_for and one.scenario.name not in run.stopped:
                for use in one.scenario.gates:
                    so_far = _so_far(session, judging.gate_of(suite, use.gate), use.of, use.baseline, one)
                    if reason := early.why_stop(so_far, suite.stop_early):
                        found[one.scenario.name] = reason
        return found

    def _start(self, row: tables.Suite, now: float) -> None:
        house = self._house
        with house.database.writing() as session:
            if not _take(session, row, now):
                return  # another server was faster
            _, news = start(session, row, Asked(trigger="schedule"), now, house.settings.lease_s)
        news.tell(house)


def _take(session: Session, row: tables.Suite, now: float) -> bool:
    """Whether it is ours to start."""
    mine = (col(tables.Suite.name) == row.name) & (col(tables.Suite.version) == row.version)
    before = col(tables.Suite.scheduled_at)
    unchanged = before.is_(None) if row.scheduled_at is None else before == row.scheduled_at
    taken = update(tables.Suite).where(mine, unchanged).values(scheduled_at=now)
    return session.connection().execute(taken.returning(col(tables.Suite.name))).first() is not None


def next_at(row: tables.Suite) -> float | None:
    """When its schedule comes next."""
    if "schedule" not in row.body:
        return None
    last = datetime.fromtimestamp(row.scheduled_at or row.created_at, UTC)
    found = Schedule(row.body["schedule"]).next(last)
    return None if found is None else found.timestamp()


def _is_due(row: tables.Suite, now: float) -> bool:
    due = next_at(row)
    return due is not None and due <= now


def _so_far(session: Session, gate: Gate, of: str, baseline: str | None, one: Progress) -> early.SoFar:
    steps = [step for step in one.newest if step.kind == of]
    over = [step.run for step in steps if step.run.state == RunState.SUCCEEDED]
    row, _ = judging.find_baseline(session, baseline)
    known = Evidence(candidate=evidence.group_of(session, over), baseline=None if row is None else baselines.read(row))
    to_come = [step.run.seed or 0 for step in steps if not step.run.state.is_final]
    return early.SoFar(gate=gate, evidence=known, to_come=to_come)


def _stop(session: Session, run: SuiteRun, scenario: str, reason: str, now: float) -> News:
    run.stopped = {**run.stopped, scenario: reason}
    session.add(run)
    session.flush()
    return runs.stop_jobs(session, runs.step_ids(session, run.id, scenario), now)
