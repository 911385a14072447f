"""Saying of every job that waits why it does, where it is not just for its turn."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlmodel import Session, col

from server.jobs import availability, needs, turn
from server.news import News
from server.runs.rows import hold_runs
from server.tables import Job, Run, RunState, Worker

_AT_ONCE = 5000  # ids in a statement


def stale_reasons(session: Session, now: float, lease_s: float) -> dict[str | None, list[str]]:
    """Runs whose reason is not what it should be, by what it should be; the rest of very many come next time."""
    workers = availability.live(session, now, lease_s)
    found = (
        select(col(Run.id), col(Run.reason), col(Run.commit), col(Job.queue), col(Job.gpus), needs.count_unmet())
        .join(Job, col(Job.run_id) == Run.id)
        .where(col(Run.state) == RunState.QUEUED, turn.has_come(now))
    )
    stale: defaultdict[str | None, list[str]] = defaultdict(list)
    for run_id, reason, commit, queue, gpus, unmet in session.connection().execute(found):
        right = why(unmet, queue, gpus, commit, workers)
        if right != reason:
            stale[right].append(run_id)
        if sum(map(len, stale.values())) == _AT_ONCE:
            break
    return dict(stale)


def write_reasons(session: Session, reasons: dict[str | None, list[str]], now: float) -> News:
    news = News()
    hold_runs(session, [run_id for run_ids in reasons.values() for run_id in run_ids])
    for reason, run_ids in reasons.items():
        rows = update(Run).where(col(Run.id).in_(run_ids), col(Run.state) == RunState.QUEUED)
        session.connection().execute(rows.values(reason=reason, version=Run.version + 1, updated_at=now))
        news.changed += run_ids
    return news


def why(unmet: int, queue: str, gpus: int, commit: str | None, workers: Sequence[Worker]) -> str | None:
    if unmet:
        return f"It waits for {unmet} of the runs that it needs."
    return availability.why_nobody(queue, gpus, commit, workers)
