"""Finding suite runs, cancelling one, and taking numbers that somebody posts to it."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from dreamer_core.gates import Verdict
from server import paging
from server.errors import ConflictError, NotFoundError
from server.jobs.cancel import cancel_many
from server.news import News
from server.runs.rows import is_id
from server.suites import finish
from server.tables import RunState, SuiteRun, SuiteState, SuiteStep

_UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


def get(session: Session, run_id: str) -> SuiteRun:
    row = session.get(SuiteRun, run_id) if is_id(run_id) else None
    if row is None:
        raise NotFoundError.of("suite run", run_id)
    return row


def hold(session: Session, run_id: str) -> SuiteRun:
    """Nobody else can change it until this transaction ends."""
    if not is_id(run_id):
        raise NotFoundError.of("suite run", run_id)
    query = select(SuiteRun).where(SuiteRun.id == run_id).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFoundError.of("suite run", run_id)
    return row


def page(
    session: Session,
    *,
    suite: str | None = None,
    commit: str | None = None,
    branch: str | None = None,
    state: SuiteState | None = None,
    limit: int,
    cursor: str | None = None,
) -> tuple[list[SuiteRun], str | None]:
    """The newest first. `commit` may be the beginning of one."""
    query = select(SuiteRun)
    for column, wanted in ((SuiteRun.suite, suite), (SuiteRun.branch, branch), (SuiteRun.state, state)):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if commit is not None:
        query = query.where(col(SuiteRun.commit).startswith(commit, autoescape=True))
    return paging.newest(session, query, SuiteRun, limit, cursor)


def cancel(session: Session, run_id: str, now: float) -> tuple[SuiteRun, News]:
    """Its jobs are stopped, and no verdict is said. Cancelling twice is as good as once."""
    run = hold(session, run_id)
    if run.state == SuiteState.FINISHED:
        raise ConflictError(f"Suite run {run_id} has finished already.", where="state", seen=run.state)
    if run.state == SuiteState.CANCELLED:
        return run, News()
    news = stop_jobs(session, step_ids(session, run_id), now)
    finish.close(session, run, SuiteState.CANCELLED, Verdict.SKIPPED, "skipped: somebody cancelled it", now)
    return run, news


def post_numbers(session: Session, run_id: str, scenario: str, numbers: dict[str, Any]) -> SuiteRun:
    """For a scenario that waits for them; they are said once."""
    run = hold(session, run_id)
    waits = {one["name"] for one in run.body["scenarios"] if one.get("posted")}
    if scenario not in waits:
        known = ", ".join(sorted(waits)) or "none"
        raise NotFoundError(
            f"Suite run {run_id} has no scenario {scenario[:80]!r} that takes numbers; it has {known}.",
            where="scenario",
            seen=scenario,
        )
    if run.state != SuiteState.RUNNING:
        raise ConflictError(f"Suite run {run_id} is {run.state}.", where="state", seen=run.state)
    if scenario in run.posted and run.posted[scenario] != numbers:
        raise ConflictError(f"Scenario {scenario} has its numbers already.", where="scenario", seen=scenario)
    run.posted = {**run.posted, scenario: numbers}
    session.add(run)
    session.flush()
    return run


def step_ids(session: Session, run_id: str, scenario: str | None = None) -> list[str]:
    query = select(SuiteStep.run_id).where(SuiteStep.suite_run_id == run_id)
    if scenario is not None:
        query = query.where(SuiteStep.scenario == scenario)
    return list(session.exec(query))


def stop_jobs(session: Session, ids: Sequence[str], now: float) -> News:
    return cancel_many(session, now, states=_UNDER_WAY, ids=ids).news if ids else News()
