"""Which runs a list holds: what may be asked, and the conditions that it becomes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, exists, or_
from sqlmodel import col, select

from server.jsonvalues import Text
from server.paging import LIMIT, PageCursor, PageSize
from server.runs.words import Label, Name
from server.tables import Experiment, Run, RunKind, RunState, RunTag

_Keys = Annotated[Text, Field(max_length=4000, description="metrics to show, with commas between")]
_Sort = Annotated[
    Text,
    Field(
        max_length=220,
        description="created_at, name, state, seed, env_steps, started_at, ended_at or metric:KEY[:last|min|max]; "
        "a leading - turns it round. Runs without the value come last either way.",
        examples=["-created_at", "-metric:eval/return_mean:max"],
    ),
]

_EQUAL = ("kind", "preset", "env", "family", "fingerprint", "seed_group")


class RunQuery(BaseModel):
    """All conditions must hold; of several states one is enough, of several tags all are needed."""

    model_config = ConfigDict(extra="forbid")

    experiment: Name | None = Field(default=None, description="its id or its name")
    state: list[RunState] = Field(default=[], max_length=6)
    kind: RunKind | None = None
    tag: list[Label] = Field(default=[], max_length=20)
    preset: Label | None = None
    env: Label | None = None
    family: Label | None = None
    fingerprint: Label | None = None
    seed_group: Label | None = None
    commit: Label | None = Field(default=None, description="that was asked for, or the beginning of the one that ran")
    parent: Label | None = Field(default=None, description="the run that they were cloned from, or evaluate")
    q: Annotated[Text, Field(max_length=200)] | None = Field(
        default=None, description="part of the name, the id, the notes, the hypothesis or a tag"
    )
    deleted: bool = Field(default=False, description="those that are deleted, in place of the others")
    metrics: _Keys = ""
    sort: _Sort = "-created_at"
    limit: PageSize = LIMIT
    cursor: PageCursor | None = None


def conditions(query: RunQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [col(Run.deleted_at).is_not(None) == query.deleted]
    if query.experiment is not None:
        of_that_name = or_(col(Experiment.id) == query.experiment, col(Experiment.name) == query.experiment)
        found.append(col(Run.experiment_id).in_(select(Experiment.id).where(of_that_name)))
    if query.state:
        found.append(col(Run.state).in_(query.state))
    equal = {name: getattr(query, name) for name in _EQUAL} | {"parent_id": query.parent}
    found += [col(getattr(Run, name)) == value for name, value in equal.items() if value is not None]
    if query.commit is not None:
        ran = col(Run.source_commit).startswith(query.commit, autoescape=True)
        found.append(or_(col(Run.commit) == query.commit, ran))
    found += [_has_tag(col(RunTag.tag) == tag) for tag in query.tag]
    if query.q:
        found.append(_mentions(query.q))
    return found


def metric_names(query: RunQuery) -> list[str]:
    """Those to show with each run."""
    return [name for name in dict.fromkeys(query.metrics.split(",")) if name]


def _mentions(text: str) -> ColumnElement[bool]:
    columns = (Run.name, Run.id, Run.notes, Run.hypothesis)
    contains = [col(column).icontains(text, autoescape=True) for column in columns]
    return or_(*contains, _has_tag(col(RunTag.tag).icontains(text, autoescape=True)))


def _has_tag(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(RunTag.run_id) == Run.id, condition)
