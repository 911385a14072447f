"""Rows for tests, complete with what the test at hand does not care about."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from server.ids import new_id
from server.tables import Attempt, Experiment, Job, Run, RunKind, RunState, Worker

NOW = 1_700_000_000.0  # what SetClock shows
LEASE = "a-lease-token"


def an_experiment(session: Session, name: str = "default") -> Experiment:
    found = session.exec(select(Experiment).where(col(Experiment.name) == name)).first()
    if found is not None:
        return found
    experiment = Experiment(id=new_id(), name=name, created_at=NOW)
    session.add(experiment)
    session.flush()
    return experiment


def a_run(session: Session, *, experiment: str = "default", **columns: Any) -> Run:
    """An imported run that is under way; it has no job, so everybody may write to it."""
    given: dict[str, Any] = {
        "id": new_id(),
        "experiment_id": an_experiment(session, experiment).id,
        "name": "a run",
        "kind": RunKind.IMPORT,
        "state": RunState.RUNNING,
        "seed_group": "0" * 12,
        "config": {},
        "created_at": NOW,
        "updated_at": NOW,
    }
    run = Run(**(given | columns))
    session.add(run)
    session.flush()
    return run


def a_worker(session: Session, name: str = "worker", **columns: Any) -> Worker:
    given: dict[str, Any] = {
        "id": new_id(),
        "name": name,
        "host": "localhost",
        "pid": 1,
        "queues": ["cpu"],
        "slots": 1,
        "free_slots": 1,
        "state": "online",
        "started_at": NOW,
        "seen_at": NOW,
    }
    worker = Worker(**(given | columns))
    session.add(worker)
    session.flush()
    return worker


def a_job(session: Session, *, queue: str = "cpu", priority: int = 0, gpus: int = 0, **columns: Any) -> Run:
    """A run that waits in a queue, and its job."""
    run = a_run(session, **({"kind": RunKind.TRAIN, "state": RunState.QUEUED} | columns))
    session.add(Job(run_id=run.id, queue=queue, priority=priority, gpus=gpus, queued_at=run.created_at))
    session.flush()
    return run


def many_jobs(session: Session, places: Sequence[tuple[int, float]]) -> list[str]:
    """A waiting job in the queue cpu for each priority and age, at the price of a few statements."""
    like = a_run(session).model_dump()
    rows = [{**like, "id": new_id(), "state": RunState.QUEUED, "created_at": at} for _, at in places]
    session.connection().execute(insert(Run), rows)
    jobs = [
        Job(run_id=row["id"], queue="cpu", priority=priority, queued_at=at)
        for row, (priority, at) in zip(rows, places, strict=True)
    ]
    session.add_all(jobs)
    session.flush()
    return [row["id"] for row in rows]


def a_running_job(session: Session, *, lease: str = LEASE, lease_s: float = 30.0, **columns: Any) -> Run:
    """A run whose first attempt holds `lease`: only who says it may write."""
    running: dict[str, Any] = {"state": RunState.RUNNING, "started_at": NOW}
    run = a_job(session, **(running | columns))
    worker = session.exec(select(Worker)).first() or a_worker(session)
    job = session.get_one(Job, run.id)
    job.attempts, job.lease_token, job.lease_worker_id, job.lease_until = 1, lease, worker.id, NOW + lease_s
    session.add(Attempt(run_id=run.id, number=1, worker_id=worker.id, token=lease, started_at=NOW))
    session.flush()
    return run
