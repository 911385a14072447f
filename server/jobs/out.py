"""A job as the API shows it: its run, its attempts, what it waits for, and its place in the queue."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import func
from sqlmodel import Session, col, select

from server.clock import iso
from server.jobs import needs, turn
from server.runs.out import RunOut, runs_out
from server.tables import Attempt, Job, JobNeed, Outcome, Run, RunState, Worker


class AttemptOut(BaseModel):
    number: int = Field(examples=[1])
    worker_id: str
    worker: str = Field(description="its name", examples=["gpu-box-1"])
    started_at: str
    ended_at: str | None
    outcome: Outcome | None = Field(description="null while it runs")
    exit_code: int | None
    reason: str | None
    peak: dict[str, Any] = Field(examples=[{"rss_mib": 812}])


class JobOut(BaseModel):
    run_id: str = Field(examples=["k3x9c2m5q7dw"])
    run: RunOut
    state: RunState
    queue: str = Field(examples=["gpu"])
    priority: int
    gpus: int
    arguments: dict[str, Any]
    checkpoint_run_id: str | None
    checkpoint: str | None = Field(examples=["best"])
    needs: list[str]
    unmet_needs: int = Field(description="of the runs that it needs, how many have not succeeded yet")
    limits: dict[str, Any]
    position: int | None = Field(description="in its queue, from 1; null where it does not wait")
    attempts: list[AttemptOut]
    cancel_requested: bool
    lease_until: str | None
    usage: dict[str, Any] | None = Field(description="at the last heartbeat", examples=[{"rss_mib": 640}])
    queued_at: str
    not_before: str | None = Field(description="it waits until then after its worker was lost")


def job_out(session: Session, run: Run) -> JobOut:
    return jobs_out(session, [run])[0]


def jobs_out(session: Session, runs: Sequence[Run]) -> list[JobOut]:
    """In the order given. All of the runs have jobs."""
    ids = [run.id for run in runs]
    jobs = {job.run_id: job for job in session.exec(select(Job).where(col(Job.run_id).in_(ids)))}
    attempts, needed, unmet = _attempts(session, ids), _needs(session, ids), _unmet(session, ids)
    places = _positions(session, {job.queue for job in jobs.values()})
    return [
        _out(jobs[run.id], run, shown, attempts[run.id], needed[run.id], unmet.get(run.id, 0), places.get(run.id))
        for run, shown in zip(runs, runs_out(session, runs), strict=True)
    ]


def _out(
    job: Job, run: Run, shown: RunOut, attempts: list[AttemptOut], needed: list[str], unmet: int, place: int | None
) -> JobOut:
    plain = ("run_id", "queue", "priority", "gpus", "arguments", "checkpoint_run_id", "checkpoint", "limits", "usage")
    return JobOut(
        **{name: getattr(job, name) for name in plain},
        run=shown,
        state=run.state,
        needs=needed,
        unmet_needs=unmet,
        position=place,
        attempts=attempts,
        cancel_requested=job.cancel_requested_at is not None,
        lease_until=iso(job.lease_until),
        queued_at=iso(job.queued_at),
        not_before=iso(job.not_before),
    )


def _attempts(session: Session, ids: Sequence[str]) -> defaultdict[str, list[AttemptOut]]:
    found: defaultdict[str, list[AttemptOut]] = defaultdict(list)
    query = select(Attempt, Worker.name).join(Worker, col(Worker.id) == Attempt.worker_id)
    for attempt, worker in session.exec(query.where(col(Attempt.run_id).in_(ids)).order_by(col(Attempt.number))):
        plain = {
            name: getattr(attempt, name) for name in ("number", "worker_id", "outcome", "exit_code", "reason", "peak")
        }
        shown = AttemptOut(worker=worker, started_at=iso(attempt.started_at), ended_at=iso(attempt.ended_at), **plain)
        found[attempt.run_id].append(shown)
    return found


def _needs(session: Session, ids: Sequence[str]) -> defaultdict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in session.exec(select(JobNeed).where(col(JobNeed.run_id).in_(ids)).order_by(col(JobNeed.needs_id))):
        found[row.run_id].append(row.needs_id)
    return found


def _unmet(session: Session, ids: Sequence[str]) -> dict[str, int]:
    return dict(session.exec(select(Job.run_id, needs.count_unmet()).where(col(Job.run_id).in_(ids))).all())


def _positions(session: Session, queues: set[str]) -> dict[str, int]:
    """Of everything that waits in these queues, in the order of claims."""
    place = func.row_number().over(partition_by=col(Job.queue), order_by=turn.ORDER)
    waiting = select(Job.run_id, place).join(Run, col(Run.id) == Job.run_id)
    return dict(session.exec(waiting.where(col(Run.state) == RunState.QUEUED, col(Job.queue).in_(queues))).all())
