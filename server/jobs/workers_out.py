"""Workers as the API shows them, with what each has in hand."""

from collections import defaultdict
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import or_
from sqlmodel import Session, col, select

from server.clock import iso
from server.jobs.availability import OFFLINE
from server.runs.out import progress
from server.runs.rows import LEAN
from server.tables import Job, Run, RunKind, RunState, Worker

_GONE_FOR_GOOD_S = 7 * 24 * 3600


class InHand(BaseModel):
    """A run that a worker does now."""

    run_id: str = Field(examples=["k3x9c2m5q7dw"])
    name: str = Field(examples=["cartpole"])
    kind: RunKind
    state: RunState
    seed: int | None
    gpus: int
    progress: float | None
    usage: dict[str, Any] | None = Field(examples=[{"rss_mib": 640}])


class WorkerOut(BaseModel):
    id: str = Field(examples=["w7k3m9x2c5qd"])
    name: str = Field(examples=["box-1"])
    host: str
    pid: int
    queues: list[str] = Field(examples=[["gpu", "cpu"]])
    slots: int
    free_slots: int
    gpus: int
    runs_commits: bool
    facts: dict[str, Any]
    state: str = Field(description="online, draining or offline")
    problem: str | None = Field(description="why it takes no jobs, where it says so")
    started_at: str
    seen_at: str
    running: list[InHand]


def workers_out(session: Session, now: float) -> list[WorkerOut]:
    """Who is here first, then by name. Of those that are gone, the ones that were here lately."""
    is_shown = or_(col(Worker.state) != OFFLINE, col(Worker.seen_at) > now - _GONE_FOR_GOOD_S)
    found = session.exec(select(Worker).where(is_shown).order_by(col(Worker.state) == OFFLINE, col(Worker.name))).all()
    in_hand = _in_hand(session)
    return [
        WorkerOut(
            **worker.model_dump(exclude={"started_at", "seen_at"}),
            started_at=iso(worker.started_at),
            seen_at=iso(worker.seen_at),
            running=in_hand[worker.id],
        )
        for worker in found
    ]


def _in_hand(session: Session) -> defaultdict[str, list[InHand]]:
    found: defaultdict[str, list[InHand]] = defaultdict(list)
    leased = select(Run, Job).join(Job, col(Job.run_id) == Run.id).where(col(Job.lease_until).is_not(None))
    for run, job in session.exec(leased.options(*LEAN).order_by(col(Run.started_at))):
        assert job.lease_worker_id is not None
        shown = {name: getattr(run, name) for name in ("name", "kind", "state", "seed")}
        found[job.lease_worker_id].append(
            InHand(run_id=run.id, gpus=job.gpus, usage=job.usage, progress=progress(run), **shown)
        )
    return found
