"""Routes of jobs for those who want something done: submit, look, cancel, try again."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import Session

from server import etags
from server.configs.resolve import Words
from server.files.uploads import drop_if_unused
from server.house import HouseDep
from server.jobs import cancel, listing, requeue
from server.jobs.clone import clone
from server.jobs.orders import CloneIn, JobIn, Priority, Queue
from server.jobs.out import JobOut, job_out, jobs_out
from server.jobs.submit import submit
from server.news import News
from server.paging import Cursor, Limit, Page
from server.repeats import OnceDep
from server.runs.rows import get_run
from server.runs.words import Id, Name
from server.tables import Run, RunState

router = APIRouter(tags=["jobs"])


class Submitted(BaseModel):
    """One job, or one for each seed."""

    items: list[JobOut]


class ResumeIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"changes": ["steps=8000"]}]})

    changes: Words = []


class JobEdit(BaseModel):
    """What is absent or null stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"priority": 10}]})

    priority: Priority | None = None
    queue: Queue | None = None


class CancelIn(BaseModel):
    """All that is said must fit; something must be said, so that an empty request does not stop everything."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"queue": "gpu", "states": ["queued"]}]})

    ids: Annotated[list[Id], Field(max_length=10_000)] | None = None
    queue: Queue | None = None
    experiment: Name | None = Field(default=None, description="its id or its name")
    states: Annotated[list[RunState], Field(max_length=6)] = [RunState.QUEUED, RunState.RUNNING]

    @model_validator(mode="after")
    def _says_which(self) -> "CancelIn":
        if self.ids is None and self.queue is None and self.experiment is None:
            raise ValueError("say which: ids, queue or experiment")
        return self


class Cancelled(BaseModel):
    cancelled: int = Field(description="were waiting, and are over", examples=[998])
    stopping: int = Field(description="were running, and save their state first", examples=[2])


@router.post("/jobs", response_model=Submitted, status_code=201)
def submit_jobs(house: HouseDep, once: OnceDep, body: JobIn) -> JSONResponse:
    """Put a job into a queue, one for each seed; the config is checked at once, as on the command line"""
    news = News()
    with house.database.writing() as session:
        now = house.clock()

        def make() -> Submitted:
            return _submitted(session, news, *submit(session, body, now, house.settings.lease_s))

        answer = once.answer(session, now, body, make)
    news.tell(house)
    return answer.response()


@router.post("/runs/{run_id}/clone", response_model=Submitted, status_code=201)
def clone_run(house: HouseDep, once: OnceDep, run_id: str, body: CloneIn) -> JSONResponse:
    """A job like this run, with changes; what is not said is as it was"""
    news = News()
    with house.database.writing() as session:
        now = house.clock()

        def make() -> Submitted:
            return _submitted(session, news, *clone(session, run_id, body, now, house.settings.lease_s))

        answer = once.answer(session, now, body, make)
    news.tell(house)
    return answer.response()


@router.get("/jobs", response_model=Page[JobOut])
def list_jobs(
    request: Request,
    house: HouseDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[list[RunState], Query(max_length=6, description="any of these")] = [],  # noqa: B006 - FastAPI's way
    queue: Annotated[Queue | None, Query()] = None,
) -> Response:
    """Jobs, the newest first"""
    with house.database.reading() as session:
        runs, after = listing.page(session, states=state, queue=queue, limit=limit, cursor=cursor)
        page = Page[JobOut](items=jobs_out(session, runs), next=after)
    return etags.answer(request, page)


@router.post("/jobs/cancel", response_model=Cancelled)
def cancel_jobs(house: HouseDep, body: CancelIn) -> Cancelled:
    """Cancel many at once; what is over already does not count"""
    with house.database.writing() as session:
        done = cancel.cancel_many(session, house.clock(), **body.model_dump())
    done.news.tell(house)
    return Cancelled(cancelled=done.cancelled, stopping=done.stopping)


@router.get("/jobs/{run_id}", response_model=JobOut)
def show_job(request: Request, house: HouseDep, run_id: str) -> Response:
    """One job, its attempts, and its place in the queue"""
    with house.database.reading() as session:
        listing.need_job(session, run_id)
        job = job_out(session, get_run(session, run_id))
    return etags.answer(request, job)


@router.patch("/jobs/{run_id}", response_model=JobOut)
def edit_job(house: HouseDep, run_id: str, body: JobEdit) -> JobOut:
    """Change the priority or the queue of a job that waits"""
    with house.database.writing() as session:
        run, news = listing.edit(session, run_id, body.priority, body.queue, house.clock(), house.settings.lease_s)
        job = job_out(session, run)
    news.tell(house)
    return job


@router.post("/jobs/{run_id}/cancel", response_model=JobOut)
def cancel_job(house: HouseDep, run_id: str) -> JobOut:
    """What waits is over at once, what runs saves its state first; cancelling twice is harmless"""
    with house.database.writing() as session:
        run, news = cancel.cancel(session, run_id, house.clock())
        job = job_out(session, run)
    news.tell(house)
    return job


@router.post("/jobs/{run_id}/retry", response_model=JobOut)
def retry_job(house: HouseDep, once: OnceDep, run_id: str) -> JSONResponse:
    """Queue a failed or cancelled job again, from its start: its numbers, its own events and its files are dropped"""
    news = News()
    contents: list[str] = []
    with house.database.writing() as session:
        now = house.clock()

        def make() -> JobOut:
            run, own, gone = requeue.retry(session, run_id, now)
            contents.extend(gone)
            return _again(session, news, run, own)

        answer = once.answer(session, now, None, make, status=200)
    for sha256 in contents:
        drop_if_unused(house, sha256)
    news.tell(house)
    return answer.response()


@router.post("/jobs/{run_id}/resume", response_model=JobOut)
def resume_job(house: HouseDep, once: OnceDep, run_id: str, body: ResumeIn | None = None) -> JSONResponse:
    """Queue a job that is over again, from its last checkpoint, and longer if the changes say so"""
    news, changes = News(), body.changes if body else []
    with house.database.writing() as session:
        now = house.clock()
        answer = once.answer(
            session,
            now,
            body,
            lambda: _again(session, news, *requeue.resume(session, run_id, changes, now)),
            status=200,
        )
    news.tell(house)
    return answer.response()


def _submitted(session: Session, news: News, runs: list[Run], own: News) -> Submitted:
    news.add(own)
    return Submitted(items=jobs_out(session, runs))


def _again(session: Session, news: News, run: Run, own: News) -> JobOut:
    news.add(own)
    return job_out(session, run)
