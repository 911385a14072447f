"""Routes for workers: who they are, that they live, what they take, how it goes and how it ended."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from server.house import HouseDep
from server.jobs import claim, ending, heartbeat, lease, workers
from server.jobs.queues import QueueOut, queues
from server.jobs.worker_messages import (
    ClaimIn,
    ClaimOut,
    Counted,
    Ended,
    EndIn,
    JobBeat,
    JobBeatOut,
    Registered,
    WorkerBeat,
    WorkerIn,
    claim_of,
)
from server.jobs.workers_out import WorkerOut, workers_out
from server.news import News
from server.repeats import Made, OnceDep
from server.tables import Outcome

router = APIRouter(tags=["workers"])

Lease = Annotated[str | None, Header(alias=lease.HEADER, max_length=64)]


class Queues(BaseModel):
    items: list[QueueOut]


class Workers(BaseModel):
    items: list[WorkerOut]


@router.get("/queues")
def list_queues(house: HouseDep) -> Queues:
    """What waits where, what runs, and who could take more"""
    with house.database.reading() as session:
        return Queues(items=queues(session, house.clock(), house.settings.lease_s))


@router.get("/workers")
def list_workers(house: HouseDep) -> Workers:
    """Workers and what they have in hand; one that is gone is listed for a week"""
    with house.database.reading() as session:
        return Workers(items=workers_out(session, house.clock()))


@router.post("/workers")
def register_worker(house: HouseDep, body: WorkerIn) -> Registered:
    """Say who you are; under a known name, another process takes the first one's place, and its jobs go back"""
    with house.database.writing() as session:
        worker, news = workers.register(session, workers.Facts(**body.model_dump()), house.clock())
        worker_id = worker.id
    news.tell(house)
    return Registered(id=worker_id, lease_s=house.settings.lease_s)


@router.post("/workers/{worker_id}/heartbeat")
def worker_heartbeat(house: HouseDep, worker_id: str, body: WorkerBeat) -> Counted:
    """Say that you live; 404 where the server does not know you: register again"""
    with house.database.writing() as session:
        workers.beat(session, worker_id, body.state, body.free_slots, house.clock(), body.problem)
    return Counted(lease_s=house.settings.lease_s)


@router.post("/workers/{worker_id}/claim", response_model=ClaimOut)
def claim_job(house: HouseDep, once: OnceDep, worker_id: str, body: ClaimIn) -> JSONResponse:
    """Take the next job; null where there is none. With the same key again, the job that was taken, while it is held"""
    news, lease_s = News(), house.settings.lease_s
    with house.database.writing() as session:
        now = house.clock()

        def make() -> ClaimOut:
            found = claim.claim(session, worker_id, body.queues, body.free_gpus, now, lease_s)
            news.add(found.news)
            claimed = None if found.claimed is None else claim_of(found.claimed, lease_s)
            return ClaimOut(claim=claimed, wait=found.wait)

        def lasts(made: Made) -> bool:  # that there is nothing to do is never kept: it may be otherwise at once
            if made["claim"] is None:
                return False
            run_id, token = made["claim"]["run_id"], made["claim"]["token"]
            return claim.still_holds(session, worker_id, run_id, token, now, lease_s)

        answer = once.answer(session, now, body, make, status=200, lasts=lasts)
    news.tell(house)
    return answer.response()


@router.post("/jobs/{run_id}/heartbeat")
def job_heartbeat(house: HouseDep, run_id: str, body: JobBeat, token: Lease = None) -> JobBeatOut:
    """Say that an attempt lives and how far it is, and hear whether it shall stop"""
    usage = None if body.usage is None else body.usage.model_dump(exclude_none=True)
    progress = body.model_dump(exclude={"usage"})
    with house.database.writing() as session:
        lease_s = house.settings.lease_s
        shall_stop, has_changed = heartbeat.beat(session, run_id, token, usage, progress, house.clock(), lease_s)
    if has_changed:
        house.bell.ring(run_id)
    return JobBeatOut(cancel=shall_stop, lease_s=lease_s)


@router.post("/jobs/{run_id}/end")
def end_job(house: HouseDep, run_id: str, body: EndIn, token: Lease = None) -> Ended:
    """Say how an attempt ended; told again, it gets the same answer"""
    told = ending.Ending(
        outcome=Outcome(body.outcome),
        exit_code=body.exit_code,
        reason=body.reason,
        error=body.error,
        peak=body.peak.model_dump(exclude_none=True),
    )
    with house.database.writing() as session:
        state, news = ending.end(session, run_id, token, told, house.clock())
    news.tell(house)
    return Ended(state=state)
