"""What waits in each queue, what runs, and who could take more."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, Field
from sqlmodel import Session, col, select

from server.jobs import availability, needs, turn
from server.tables import Job, Run, RunState, Worker


class QueueOut(BaseModel):
    name: str = Field(examples=["gpu"])
    queued: int = Field(description="jobs that could start now")
    waiting: int = Field(description="jobs that wait for other runs, or a while after a lost worker")
    running: int
    workers: int = Field(description="live ones that serve it")
    slots: int
    free_slots: int


def claimable(session: Session, now: float) -> Sequence[tuple[str, str]]:
    """Queue and run of every job that could start now, in the order of claims."""
    found = (
        select(Job.queue, Job.run_id)
        .join(Run, col(Run.id) == Job.run_id)
        .where(col(Run.state) == RunState.QUEUED, turn.has_come(now))
        .where(~needs.has_unmet())
    )
    return session.exec(found.order_by(*turn.ORDER)).all()


def queues(session: Session, now: float, lease_s: float) -> list[QueueOut]:
    """Every queue that holds a job or has a live worker, by name."""
    ready = Counter(queue for queue, _ in claimable(session, now))
    queued = _count(session, RunState.QUEUED)
    running = _count(session, RunState.RUNNING, RunState.STOPPING)
    workers = availability.live(session, now, lease_s)
    names = sorted({*queued, *running, *(queue for worker in workers for queue in worker.queues)})
    return [_queue(name, ready[name], queued[name], running[name], workers) for name in names]


def _queue(name: str, ready: int, queued: int, running: int, workers: Sequence[Worker]) -> QueueOut:
    serving = [worker for worker in workers if name in worker.queues]
    return QueueOut(
        name=name,
        queued=ready,
        waiting=queued - ready,
        running=running,
        workers=len(serving),
        slots=sum(worker.slots for worker in serving),
        free_slots=sum(worker.free_slots for worker in serving),
    )


def _count(session: Session, *states: RunState) -> Counter[str]:
    found = select(Job.queue).join(Run, col(Run.id) == Job.run_id).where(col(Run.state).in_(states))
    return Counter(session.exec(found))
