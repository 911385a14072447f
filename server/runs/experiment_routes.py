"""Routes of experiments: parse, call one service, respond."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from server.clock import iso
from server.house import HouseDep
from server.jsonvalues import Text
from server.paging import Cursor, Limit, Page
from server.repeats import OnceDep
from server.runs import experiments
from server.runs.words import Name, Prose
from server.tables import Experiment

router = APIRouter(tags=["experiments"])


class ExperimentIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "horizon", "question": "Does a shorter dream learn faster?"}]},
    )

    name: Name
    question: Prose = ""


class ExperimentEdit(BaseModel):
    """What is absent or null stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"question": "And with 20?"}]})

    name: Name | None = None
    question: Prose | None = None


class ExperimentOut(BaseModel):
    id: str = Field(examples=["q4wz7kd2m9xc"])
    name: str = Field(examples=["horizon"])
    question: str = Field(examples=["Does a shorter dream learn faster?"])
    runs: int = Field(description="how many it holds, without deleted ones", examples=[6])
    created_at: str = Field(examples=["2026-11-21T10:15:02.345+00:00"])
    deleted_at: str | None


@router.post("/experiments", response_model=ExperimentOut, status_code=201)
def create_experiment(house: HouseDep, once: OnceDep, body: ExperimentIn) -> JSONResponse:
    """Make an experiment: a named folder of runs with a question behind it"""
    with house.database.writing() as session:
        now = house.clock()

        def make() -> ExperimentOut:
            return _out(session, [experiments.create(session, body.name, body.question, now)])[0]

        return once.answer(session, now, body, make).response()


@router.get("/experiments", response_model=Page[ExperimentOut])
def list_experiments(
    house: HouseDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[Text | None, Query(max_length=200, description="part of the name or the question")] = None,
    deleted: Annotated[bool, Query(description="those that are deleted, in place of the others")] = False,
) -> Page[ExperimentOut]:
    """The experiments, the newest first"""
    with house.database.reading() as session:
        found, after = experiments.page(session, q=q, deleted=deleted, limit=limit, cursor=cursor)
        return Page(items=_out(session, found), next=after)


@router.get("/experiments/{experiment_id}", response_model=ExperimentOut)
def show_experiment(house: HouseDep, experiment_id: str) -> ExperimentOut:
    """One experiment"""
    with house.database.reading() as session:
        return _out(session, [experiments.get(session, experiment_id)])[0]


@router.patch("/experiments/{experiment_id}", response_model=ExperimentOut)
def edit_experiment(house: HouseDep, experiment_id: str, body: ExperimentEdit) -> ExperimentOut:
    """Change its name or its question"""
    with house.database.writing() as session:
        return _out(session, [experiments.edit(session, experiment_id, body.model_dump(exclude_none=True))])[0]


@router.delete("/experiments/{experiment_id}", response_model=ExperimentOut)
def delete_experiment(house: HouseDep, experiment_id: str) -> ExperimentOut:
    """Delete it with its runs, all of which must be over; it can be restored"""
    with house.database.writing() as session:
        return _out(session, [experiments.delete(session, experiment_id, house.clock())])[0]


@router.post("/experiments/{experiment_id}/restore", response_model=ExperimentOut)
def restore_experiment(house: HouseDep, experiment_id: str) -> ExperimentOut:
    """Take it back, with the runs that were deleted with it"""
    with house.database.writing() as session:
        return _out(session, [experiments.restore(session, experiment_id)])[0]


def _out(session: Session, found: list[Experiment]) -> list[ExperimentOut]:
    session.flush()
    counts = experiments.count_runs(session, [experiment.id for experiment in found])
    return [
        ExperimentOut(
            id=experiment.id,
            name=experiment.name,
            question=experiment.question,
            runs=counts.get(experiment.id, 0),
            created_at=iso(experiment.created_at),
            deleted_at=iso(experiment.deleted_at),
        )
        for experiment in found
    ]
