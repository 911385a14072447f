"""Finding jobs, and moving one that waits to another place or queue."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from server import paging
from server.errors import ConflictError, NotFoundError
from server.jobs import availability, needs
from server.jobs.rows import get_job
from server.jobs.submit import queue_for
from server.news import News
from server.runs.rows import LEAN, hold_run, is_id, touch
from server.tables import Job, Run, RunState


def page(
    session: Session, *, states: Sequence[RunState], queue: str | None, limit: int, cursor: str | None
) -> tuple[list[Run], str | None]:
    """The newest first. What is deleted is left out."""
    query = select(Run).join(Job, col(Job.run_id) == Run.id).where(col(Run.deleted_at).is_(None)).options(*LEAN)
    if states:
        query = query.where(col(Run.state).in_(states))
    if queue is not None:
        query = query.where(col(Job.queue) == queue)
    return paging.newest(session, query, Run, limit, cursor)


def need_job(session: Session, run_id: str) -> None:
    if not is_id(run_id) or session.exec(select(Job.run_id).where(col(Job.run_id) == run_id)).first() is None:
        raise NotFoundError.of("job", run_id)


def edit(
    session: Session, run_id: str, priority: int | None, queue: str | None, now: float, lease_s: float
) -> tuple[Run, News]:
    need_job(session, run_id)
    run, job = hold_run(session, run_id), get_job(session, run_id)
    if run.state != RunState.QUEUED:
        raise ConflictError(f"Run {run_id} is {run.state}: it does not wait any more.", where="state", seen=run.state)
    workers = availability.live(session, now, lease_s)
    job.priority = job.priority if priority is None else priority
    job.queue = job.queue if queue is None else queue_for(queue, run.config, workers)
    session.add(job)
    waits = session.exec(select(Job.run_id).where(col(Job.run_id) == run_id, needs.has_unmet())).first() is not None
    reason = run.reason if waits else availability.why_nobody(job.queue, job.gpus, run.commit, workers)
    touch(session, run, now, reason=reason)
    session.flush()
    return run, News(changed=[run_id], waiting=[] if waits else [(job.queue, run_id)])
