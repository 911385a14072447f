"""Routes for somebody else's trainer: it makes its run, says how far it is, and how it ended."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from server.house import HouseDep
from server.repeats import OnceDep
from server.runs import imports
from server.runs.imports import FinishIn, ProgressIn, RunIn
from server.runs.out import RunOut, run_out

router = APIRouter(tags=["runs"])


@router.post("/runs", response_model=RunOut, status_code=201)
def create_run(house: HouseDep, once: OnceDep, body: RunIn) -> JSONResponse:
    """Make a run that has no job: its own trainer sends the numbers, and finishes it"""
    with house.database.writing() as session:
        now = house.clock()
        answer = once.answer(session, now, body, lambda: run_out(session, imports.create(session, body, now)))
    house.bell.ring(answer.body["id"])
    return answer.response()


@router.post("/runs/{run_id}/finish", response_model=RunOut)
def finish_run(house: HouseDep, run_id: str, body: FinishIn) -> RunOut:
    """Say how a run without a job ended; saying it again is harmless"""
    with house.database.writing() as session:
        run, news = imports.finish(session, run_id, body, house.clock())
        out = run_out(session, run)
    news.tell(house)
    return out


@router.post("/runs/{run_id}/progress", response_model=RunOut)
def report_progress(house: HouseDep, run_id: str, body: ProgressIn) -> RunOut:
    """Say how far a run without a job is"""
    with house.database.writing() as session:
        out = run_out(session, imports.progress(session, run_id, body, house.clock()))
    house.bell.ring(run_id)
    return out
