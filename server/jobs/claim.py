"""Handing out jobs: of two workers that ask at once, each gets another one, or one of them gets none.

By priority, then by age. What a worker could never run (too many GPUs, a commit without a repository) it never sees;
for what only lacks GPUs that are busy now, it waits, so that a stream of small jobs cannot starve a big one.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from server.errors import NotFoundError
from server.files import logs
from server.jobs import availability, needs, turn
from server.jobs.rows import get_job
from server.live import events
from server.metrics.read import stream_state
from server.news import News
from server.runs.rows import hold_run, is_id, touch
from server.tables import Attempt, Job, Run, RunState, Worker


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What a worker must know to run it, beyond the rows."""

    run: Run
    job: Job
    token: str
    records: int
    events: int
    log_bytes: int
    is_fresh: bool


@dataclass(frozen=True)
class Answer:
    claimed: Claimed | None
    wait: bool  # there is one, once GPUs are free
    news: News


def claim(session: Session, worker_id: str, queues: list[str], free_gpus: int, now: float, lease_s: float) -> Answer:
    worker = _hear_of(session, worker_id, now)
    if worker.state != availability.ONLINE:
        return Answer(None, wait=False, news=News())
    best = session.exec(best_job(worker, queues, now)).first()
    if best is None:
        return Answer(None, wait=False, news=News())
    run_id, gpus = best
    if gpus > free_gpus:
        return Answer(None, wait=True, news=News())
    if not _take(session, run_id):
        return Answer(None, wait=False, news=News())
    return Answer(_lease(session, run_id, worker, now, lease_s), wait=False, news=News(changed=[run_id]))


def still_holds(session: Session, worker_id: str, run_id: str, token: str, now: float, lease_s: float) -> bool:
    """Whether the attempt with this token has its lease; then it counts from now, as its worker may just hear of it."""
    _hear_of(session, worker_id, now)  # first, as in `claim`: the worker is held before its runs
    hold_run(session, run_id)
    job = get_job(session, run_id)
    if job.lease_token != token:
        return False
    job.lease_until = now + lease_s
    session.add(job)
    return True


def best_job(worker: Worker, queues: list[str], now: float) -> Any:
    """The next job for this worker, and its GPUs; one that another transaction is about to take is passed over."""
    query = select(Run.id, Job.gpus).join(Job, col(Job.run_id) == Run.id).where(col(Run.state) == RunState.QUEUED)
    query = query.where(
        col(Job.queue).in_(queues),
        col(Job.gpus) <= worker.gpus,
        turn.has_come(now),
        ~needs.has_unmet(),
    )
    if not worker.runs_commits:
        query = query.where(col(Run.commit).is_(None))
    query = query.order_by(*turn.ORDER).limit(1)
    return query.with_for_update(of=Run, key_share=True, skip_locked=True)


def _hear_of(session: Session, worker_id: str, now: float) -> Worker:
    held = select(Worker).where(col(Worker.id) == worker_id).with_for_update(key_share=True)
    worker = session.exec(held).one_or_none() if is_id(worker_id) else None
    if worker is None:
        raise NotFoundError.of("worker", worker_id)
    worker.seen_at = now
    if worker.state == availability.OFFLINE:  # it was silent for long, and is back
        worker.state = availability.ONLINE
    session.add(worker)
    return worker


def _take(session: Session, run_id: str) -> bool:
    """By compare-and-swap: whatever the query above saw, only a queued run starts."""
    taken = update(Run).where(col(Run.id) == run_id, col(Run.state) == RunState.QUEUED)
    return session.connection().execute(taken.values(state=RunState.RUNNING)).rowcount == 1


def _lease(session: Session, run_id: str, worker: Worker, now: float, lease_s: float) -> Claimed:
    run, job, token = session.get_one(Run, run_id), session.get_one(Job, run_id), secrets.token_urlsafe(24)
    job.attempts += 1
    job.lease_token, job.lease_worker_id, job.lease_until = token, worker.id, now + lease_s
    job.not_before = job.usage = None
    session.add(job)
    session.add(Attempt(run_id=run_id, number=job.attempts, worker_id=worker.id, token=token, started_at=now))
    touch(session, run, now, reason=None, started_at=run.started_at or now)
    session.flush()
    message = f"attempt {job.attempts} started on {worker.name}"
    events.write(session, run_id, events.SERVER, "started", message, now, worker=worker.name, attempt=job.attempts)
    records, own = stream_state(session, run_id)[0], events.count_core(session, run_id)
    return Claimed(
        run=run,
        job=job,
        token=token,
        records=records,
        events=own,
        log_bytes=logs.size_of(session, run_id),
        is_fresh=job.fresh and not records and not own,  # once it has said something, it is on its way
    )
