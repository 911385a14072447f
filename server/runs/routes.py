"""Routes of runs: finding, reading and editing them, whoever made them."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server import etags
from server.house import HouseDep
from server.news import News
from server.paging import Page
from server.runs import edit, order
from server.runs.out import RunOut, run_out, runs_out
from server.runs.rows import get_run
from server.runs.search import RunQuery, conditions, metric_names
from server.runs.words import Metric, Name, Prose, Tags

router = APIRouter(tags=["runs"])

IfMatch = Annotated[
    str | None, Header(max_length=200, description="the ETag that was read: refuse (412) where it has changed since")
]


class RunEdit(BaseModel):
    """What is absent stays as it is; null clears the primary metric, and says nothing elsewhere.

    hypothesis, primary_metric and stop_rule are fixed (409) once the run has begun.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"tags": ["baseline"], "conclusion": "Twice as fast, and no better."}]},
    )

    name: Name | None = None
    notes: Prose | None = None
    tags: Tags | None = None
    hypothesis: Prose | None = None
    primary_metric: Metric | None = None
    stop_rule: Prose | None = None
    conclusion: Prose | None = None
    group: bool = Field(
        default=False, description="the same for all runs of its seed group that are in this experiment"
    )

    def changes(self) -> dict[str, Any]:
        given = self.model_dump(exclude_unset=True, exclude={"group"})
        return {key: value for key, value in given.items() if value is not None or key == "primary_metric"}


@router.get("/runs", response_model=Page[RunOut])
def list_runs(request: Request, house: HouseDep, query: Annotated[RunQuery, Query()]) -> Response:
    """Runs, filtered and sorted, also by a metric; `config` is left out"""
    with house.database.reading() as session:
        found, after = order.page(session, conditions(query), sort=query.sort, limit=query.limit, cursor=query.cursor)
        page = Page[RunOut](items=runs_out(session, found, metrics=metric_names(query)), next=after)
    return etags.answer(request, page)


@router.get("/runs/{run_id}", response_model=RunOut)
def show_run(request: Request, house: HouseDep, run_id: str) -> Response:
    """One run with its config. ETag is its version"""
    with house.database.reading() as session:
        run = run_out(session, get_run(session, run_id))
    return etags.answer(request, run, str(run.version))


@router.patch("/runs/{run_id}", response_model=RunOut)
def edit_run(request: Request, house: HouseDep, run_id: str, body: RunEdit, if_match: IfMatch = None) -> Response:
    """Change what people wrote about it"""
    with house.database.writing() as session:
        changed = edit.edit(session, run_id, body.changes(), house.clock(), if_match=if_match, group=body.group)
        run, ids = run_out(session, get_run(session, run_id)), [each.id for each in changed]
    News(changed=ids).tell(house)
    return etags.answer(request, run, str(run.version))


@router.delete("/runs/{run_id}", response_model=RunOut)
def delete_run(house: HouseDep, run_id: str) -> RunOut:
    """Delete a run that is over; it can be restored"""
    with house.database.writing() as session:
        run = run_out(session, edit.delete(session, run_id, house.clock()))
    house.bell.ring(run_id)
    return run


@router.post("/runs/{run_id}/restore", response_model=RunOut)
def restore_run(house: HouseDep, run_id: str) -> RunOut:
    """Take a deleted run back"""
    with house.database.writing() as session:
        run = run_out(session, edit.restore(session, run_id, house.clock()))
    house.bell.ring(run_id)
    return run
