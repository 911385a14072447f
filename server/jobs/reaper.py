"""Leases that ran out: each is taken in a transaction of its own, and not from a worker that just spoke."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import Session, col, select

from server.jobs.ending import LONGEST_BACKOFF_S, lose
from server.jobs.rows import get_job
from server.news import News
from server.runs.rows import hold_run, hold_runs
from server.tables import Job, Worker


def overdue(session: Session, now: float) -> Sequence[str]:
    """The runs whose workers should have been heard of by now."""
    return session.exec(select(Job.run_id).where(col(Job.lease_until) < now).order_by(col(Job.lease_until))).all()


def reap(session: Session, run_id: str, now: float) -> News:
    """Nothing happens where it has spoken, or ended, since it was found overdue."""
    run, job = hold_run(session, run_id), get_job(session, run_id)
    if job.lease_token is None or job.lease_until is None or job.lease_until >= now:
        return News()
    worker = session.get(Worker, job.lease_worker_id)
    assert worker is not None
    return lose(session, run, job, f"Nothing is heard of worker {worker.name} any more.", now)


def grant_grace(session: Session, now: float, lease_s: float) -> None:
    """Every lease counts from now, and no job waits after a lost worker for longer than the longest wait. For a server
    that was away, or whose clock has jumped: the workers may well live."""
    is_leased, is_far = col(Job.lease_until).is_not(None), col(Job.not_before) > now + LONGEST_BACKOFF_S
    hold_runs(session, session.exec(select(Job.run_id).where(is_leased | is_far)).all())
    session.connection().execute(update(Job).where(is_leased).values(lease_until=now + lease_s))
    session.connection().execute(update(Job).where(is_far).values(not_before=now + LONGEST_BACKOFF_S))
