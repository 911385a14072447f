"""Cancelling: what waits is cancelled at once, what runs is told to stop and saves its state first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, or_, select

from server.errors import ConflictError
from server.jobs import needs
from server.jobs.rows import get_job
from server.live import events
from server.news import News
from server.runs.rows import hold_run, hold_runs
from server.tables import Experiment, Job, Run, RunState

_AT_ONCE = 5000  # ids in a statement; Postgres takes 65,535
_WAITED = "It was cancelled while it waited."
_STOPPING = "It was told to stop, and saves its state first."


@dataclass
class Cancelled:
    cancelled: int = 0
    stopping: int = 0
    news: News = field(default_factory=News)


def cancel(session: Session, run_id: str, now: float) -> tuple[Run, News]:
    """Cancelling twice is as good as once. What ended by itself cannot be cancelled any more."""
    run, job = hold_run(session, run_id), get_job(session, run_id)
    if run.state.is_final:
        if run.state == RunState.CANCELLED or job.cancel_requested_at is not None:
            return run, News()
        raise ConflictError(f"Run {run_id} has {run.state} already.", where="state", seen=run.state)
    news = _cancel(session, [run_id], now).news
    session.refresh(run)
    return run, news


def cancel_many(
    session: Session,
    now: float,
    *,
    states: Sequence[RunState],
    ids: Sequence[str] | None = None,
    queue: str | None = None,
    experiment: str | None = None,
) -> Cancelled:
    """Whatever fits all that is said, in a few statements."""
    found = select(Job.run_id).join(Run, col(Run.id) == Job.run_id).where(col(Run.state).in_(states))
    if ids is not None:
        found = found.where(col(Job.run_id).in_(ids))
    if queue is not None:
        found = found.where(col(Job.queue) == queue)
    if experiment is not None:
        of_that_name = or_(col(Experiment.id) == experiment, col(Experiment.name) == experiment)
        found = found.where(col(Run.experiment_id).in_(select(Experiment.id).where(of_that_name)))
    total = Cancelled()
    parts = list(_parts(session.exec(found.order_by(col(Job.run_id))).all()))
    for part in parts:  # all before the first is cancelled, with those that need it: who holds these waits for nobody
        hold_runs(session, part)
    for part in parts:
        done = _cancel(session, part, now)
        total.cancelled += done.cancelled
        total.stopping += done.stopping
        total.news.add(done.news)
    return total


def _cancel(session: Session, ids: Sequence[str], now: float) -> Cancelled:
    states = select(Run.id, Run.state).where(col(Run.id).in_(ids))
    state_of = dict(session.exec(states).all())
    waiting = [run_id for run_id in ids if state_of[run_id] == RunState.QUEUED]
    running = [run_id for run_id in ids if state_of[run_id] == RunState.RUNNING]
    _move(session, waiting, RunState.CANCELLED, "cancelled", _WAITED, now, ended_at=now)
    _move(session, running, RunState.STOPPING, "stopping", _STOPPING, now)
    hopeless = needs.cancel_hopeless(session, now) if waiting else News()
    changed = [*waiting, *running, *hopeless.changed]
    return Cancelled(len(waiting) + len(hopeless.changed), len(running), News(changed=changed))


def _move(
    session: Session, ids: Sequence[str], state: RunState, kind: str, reason: str, now: float, **changes: Any
) -> None:
    if not ids:
        return
    runs = update(Run).where(col(Run.id).in_(ids)).execution_options(synchronize_session=False)
    values = {"state": state, "reason": reason, "updated_at": now, **changes}
    session.connection().execute(runs.values(version=Run.version + 1, **values))
    jobs = update(Job).where(col(Job.run_id).in_(ids))
    session.connection().execute(jobs.values(cancel_requested_at=now))
    events.write_for_all(session, ids, events.SERVER, kind, reason, now)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
