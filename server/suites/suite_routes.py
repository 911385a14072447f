"""Routes of suites: apply, look, start one, and its badge."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from dreamer_core.suites.badge import badge_svg
from server.gates.words import Number, Slug, Source
from server.house import HouseDep
from server.jobs.orders import Commit
from server.jsonvalues import JsonObject
from server.news import News
from server.paging import Cursor, Limit, Page
from server.repeats import OnceDep
from server.runs.words import Label
from server.suites import applied, runs
from server.suites.out import SuiteOut, SuiteRunDetail, suite_run_detail, suites_out
from server.suites.start import Asked, start
from server.tables import SuiteState

router = APIRouter(tags=["suites"])


class SuiteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    suite: JsonObject = Field(description="as in its YAML file")
    source: Source = Field(default="", description="where it is kept: a file of a repository")


class StartIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"commit": "1a2b3c4", "branch": "main", "trigger": "ci"}]}
    )

    commit: Commit | None = Field(default=None, description="the code to run; absent: what the workers have installed")
    branch: Label | None = None
    trigger: Literal["ci", "terminal", "page", "bisect"] = "ci"
    widen: Annotated[int, Field(ge=0, le=20, description="so many times as many seeds more")] = 0
    reuse: bool = Field(
        default=False, description="take what this commit has already done with the same config and seed"
    )
    who: Annotated[str, Field(max_length=120, pattern=r"^[^\x00]*$")] = ""


@router.get("/suites", response_model=Page[SuiteOut])
def list_suites(house: HouseDep, limit: Limit = 50, cursor: Cursor = None) -> Page[SuiteOut]:
    """The newest version of every suite, by name, each with its latest run"""
    with house.database.reading() as session:
        found, after = applied.page(session, limit=limit, cursor=cursor)
        return Page(items=suites_out(session, found), next=after)


@router.get("/suites/{name}", response_model=SuiteOut)
def show_suite(house: HouseDep, name: Slug, version: Annotated[Number | None, Query()] = None) -> SuiteOut:
    """One suite: its newest version, or the one that is asked for"""
    with house.database.reading() as session:
        return suites_out(session, [applied.get_row(session, name, version)])[0]


@router.put("/suites/{name}", response_model=SuiteOut)
def apply_suite(house: HouseDep, name: Slug, body: SuiteIn) -> SuiteOut:
    """Keep a suite; another body needs another version"""
    suite = applied.parse(name, body.suite)
    with house.database.writing() as session:
        return suites_out(session, [applied.apply(session, suite, body.source, house.clock())])[0]


@router.post("/suites/{name}/runs", response_model=SuiteRunDetail, status_code=201)
def start_suite(house: HouseDep, once: OnceDep, name: Slug, body: StartIn) -> JSONResponse:
    """Run the newest version: its jobs go into the queue, its gates judge them when they are over"""
    news = News()
    with house.database.writing() as session:
        now = house.clock()

        def make() -> SuiteRunDetail:
            asked = Asked(**body.model_dump())
            row = applied.get_row(session, name)
            run, own = start(session, row, asked, now, house.settings.lease_s)
            news.add(own)
            return suite_run_detail(session, run)

        answer = once.answer(session, now, body, make)
    news.tell(house)
    return answer.response()


@router.get("/suites/{name}/badge.svg", response_class=Response)
def show_badge(house: HouseDep, name: Slug, branch: Annotated[Label | None, Query()] = None) -> Response:
    """The newest finished verdict, on a branch or on any, as a picture"""
    with house.database.reading() as session:
        applied.get_row(session, name)
        found, _ = runs.page(session, suite=name, branch=branch, state=SuiteState.FINISHED, limit=1)
    verdict = str(found[0].verdict) if found and found[0].verdict else None
    headers = {"Cache-Control": "no-cache, max-age=0"}
    return Response(badge_svg(name, verdict), media_type="image/svg+xml", headers=headers)
