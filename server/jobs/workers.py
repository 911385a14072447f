"""Workers: who they say they are, that they live, and what they have in hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from server.absent import insert_if_absent
from server.errors import NotFoundError
from server.ids import new_id
from server.jobs import availability
from server.jobs.ending import lose
from server.jobs.rows import get_job
from server.news import News
from server.runs.rows import hold_run, hold_runs, is_id
from server.tables import Job, Worker


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a worker says of itself."""

    name: str
    host: str
    pid: int
    queues: list[str]
    slots: int
    gpus: int
    runs_commits: bool
    facts: dict[str, Any]


def register(session: Session, said: Facts, now: float) -> tuple[Worker, News]:
    """A new worker, or an old name that comes back. Another process under the name has lost what the first one had."""
    fresh = Worker(
        id=new_id(), free_slots=said.slots, state=availability.ONLINE, started_at=now, seen_at=now, **said.__dict__
    )
    if insert_if_absent(session, fresh):
        return session.get_one(Worker, fresh.id), News()
    worker = session.exec(select(Worker).where(col(Worker.name) == said.name).with_for_update(key_share=True)).one()
    is_same = (worker.host, worker.pid) == (said.host, said.pid)
    news = News() if is_same else _lose_all(session, worker, now)
    for name, value in said.__dict__.items():
        setattr(worker, name, value)
    worker.free_slots, worker.state, worker.seen_at = said.slots, availability.ONLINE, now
    worker.started_at = worker.started_at if is_same else now
    session.add(worker)
    return worker, news


def beat(session: Session, worker_id: str, state: str, free_slots: int, now: float, problem: str | None = None) -> None:
    values = {"state": state, "free_slots": free_slots, "seen_at": now, "problem": problem}
    rows = update(Worker).where(col(Worker.id) == worker_id).values(values)
    if not is_id(worker_id) or session.connection().execute(rows).rowcount == 0:
        raise NotFoundError.of("worker", worker_id)


def silent(session: Session, now: float, lease_s: float) -> Sequence[str]:
    """Those of whom nothing was heard for long, and who are not known to be gone."""
    gone = (col(Worker.state) != availability.OFFLINE, col(Worker.seen_at) < now - availability.SILENCES * lease_s)
    return session.exec(select(Worker.id).where(*gone)).all()


def give_up(session: Session, worker_ids: Sequence[str], now: float, lease_s: float) -> None:
    """Offline, until they speak again."""
    still_silent = col(Worker.seen_at) < now - availability.SILENCES * lease_s
    rows = update(Worker).where(col(Worker.id).in_(worker_ids), still_silent)
    session.connection().execute(rows.values(state=availability.OFFLINE, free_slots=0))


def _lose_all(session: Session, worker: Worker, now: float) -> News:
    news = News()
    leased = select(Job.run_id).where(col(Job.lease_until).is_not(None), col(Job.lease_worker_id) == worker.id)
    run_ids = session.exec(leased.order_by(col(Job.run_id))).all()
    # All before the first is lost: that may cancel runs which need it, and who holds those must wait for nobody.
    hold_runs(session, run_ids)
    for run_id in run_ids:
        run, job = hold_run(session, run_id), get_job(session, run_id)
        if job.lease_worker_id == worker.id:
            news.add(lose(session, run, job, f"Worker {worker.name} was started anew.", now, at_once=True))
    return news
