"""Routes of suite runs: look, cancel, and post numbers to a scenario that waits for them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dreamer_core.errors import UsageError
from dreamer_core.gates.posted import parity_from
from server.errors import InvalidError
from server.gates.evidence import MOST_RUNS
from server.gates.gate_routes import PostedRun
from server.gates.words import Slug
from server.house import HouseDep
from server.jsonvalues import JsonObject
from server.paging import Cursor, Limit, Page
from server.runs.words import Label
from server.suites import runs
from server.suites.out import SuiteRunDetail, SuiteRunOut, suite_run_detail, suite_runs_out
from server.tables import SuiteState

router = APIRouter(tags=["suites"])

_CommitStart = Annotated[str, Query(pattern=r"^[0-9a-f]{4,40}$", description="a commit, or its beginning")]


class NumbersIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"parity": [{"name": "kl", "error": 1e-7, "tolerance": 1e-6}]}]},
    )

    numbers: Annotated[list[PostedRun], Field(max_length=MOST_RUNS)] = []
    parity: Annotated[list[JsonObject], Field(max_length=10_000)] = Field(
        default=[], description="comparisons with a reference: name, error, tolerance, reference, or status: skipped"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "NumbersIn":
        if not self.numbers and not self.parity:
            raise ValueError("say numbers or parity")
        return self


@router.get("/suite-runs", response_model=Page[SuiteRunOut])
def list_suite_runs(
    house: HouseDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    suite: Annotated[Slug | None, Query()] = None,
    commit: _CommitStart | None = None,
    branch: Annotated[Label | None, Query()] = None,
    state: Annotated[SuiteState | None, Query()] = None,
) -> Page[SuiteRunOut]:
    """Suite runs, the newest first"""
    with house.database.reading() as session:
        found, after = runs.page(
            session, suite=suite, commit=commit, branch=branch, state=state, limit=limit, cursor=cursor
        )
        return Page(items=suite_runs_out(session, found), next=after)


@router.get("/suite-runs/{suite_run_id}", response_model=SuiteRunDetail)
def show_suite_run(house: HouseDep, suite_run_id: str) -> SuiteRunDetail:
    """One suite run: scenarios, their jobs, and what gates said"""
    with house.database.reading() as session:
        return suite_run_detail(session, runs.get(session, suite_run_id))


@router.post("/suite-runs/{suite_run_id}/cancel", response_model=SuiteRunDetail)
def cancel_suite_run(house: HouseDep, suite_run_id: str) -> SuiteRunDetail:
    """Stop its jobs; no verdict is said. Cancelling twice is harmless"""
    with house.database.writing() as session:
        run, news = runs.cancel(session, suite_run_id, house.clock())
        found = suite_run_detail(session, run)
    news.tell(house)
    return found


@router.post("/suite-runs/{suite_run_id}/scenarios/{scenario}/numbers", response_model=SuiteRunDetail)
def post_numbers(house: HouseDep, suite_run_id: str, scenario: Slug, body: NumbersIn) -> SuiteRunDetail:
    """The numbers of a scenario that waits for them: of tests, or of another tool's benchmark"""
    try:
        parity_from(body.parity, "parity")
    except UsageError as error:
        raise InvalidError(str(error), where="parity") from None
    with house.database.writing() as session:
        run = runs.post_numbers(session, suite_run_id, scenario, body.model_dump(mode="json"))
        return suite_run_detail(session, run)
