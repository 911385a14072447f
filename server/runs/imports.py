"""Runs of somebody else's trainer: made by its first word, running until it says how it ended. They have no job."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlmodel import Session

from dreamer_core.metrics.jsonsafe import dumps, loads
from server.errors import ConflictError
from server.ids import new_id
from server.jobs import needs
from server.jsonvalues import Count, JsonObject
from server.news import News
from server.runs import experiments
from server.runs.edit import set_tags
from server.runs.groups import seed_group
from server.runs.rows import hold_run, touch
from server.runs.states import move
from server.runs.words import Hash, Label, Metric, Name, Prose, Rate, Tags
from server.tables import Job, Run, RunKind, RunState

_MOST_CONFIG = 256 * 1024
_IDENTITY = ("kind", "config", "seed", "preset", "env", "family", "total_steps")
_COPIED = (*_IDENTITY, "hypothesis", "primary_metric", "stop_rule", "notes")


def _as_kept(value: dict[str, Any]) -> dict[str, Any]:
    """Numbers that are not finite become words here and not in the database: the first answer must say what later ones
    do."""
    words = dumps(value)
    if len(words) > _MOST_CONFIG:
        raise ValueError(f"may take {_MOST_CONFIG} characters as JSON")
    kept: dict[str, Any] = loads(words)
    return kept


class RunIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"experiment": "peers", "name": "ppo", "config": {"lr": 0.0003}, "seed": 1}]},
    )

    experiment: Name = Field(default="default", description="its name; made if there is none")
    name: Name | None = None
    kind: RunKind = RunKind.IMPORT
    config: Annotated[JsonObject, AfterValidator(_as_kept)] = {}
    seed: Count | None = None
    preset: Label | None = None
    env: Label | None = None
    family: Hash | None = None
    total_steps: Count | None = None
    tags: Tags = []
    hypothesis: Prose = ""
    primary_metric: Metric | None = None
    stop_rule: Prose = ""
    notes: Prose = ""


class FinishIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "succeeded"}]})

    state: Literal["succeeded", "failed"]
    error: Prose | None = None


class ProgressIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"env_steps": 4000}]})

    env_steps: Count
    train_steps: Count | None = None
    steps_per_s: Rate | None = None


def create(session: Session, said: RunIn, now: float) -> Run:
    run_id, experiment = new_id(), experiments.ensure(session, said.experiment, now)
    run = Run(
        id=run_id,
        experiment_id=experiment.id,
        name=said.name or said.preset or said.env or "import",
        state=RunState.RUNNING,
        seed_group=_group_of(said, experiment.id, run_id),
        created_at=now,
        started_at=now,
        updated_at=now,
        **{name: getattr(said, name) for name in _COPIED},
    )
    session.add(run)
    session.flush()
    set_tags(session, run.id, said.tags)
    return run


def _group_of(said: RunIn, experiment_id: str, run_id: str) -> str:
    """Without a seed, it differs from others in nobody knows what. Without a config, at least the experiment is one."""
    unlike = experiment_id if said.seed is not None else run_id
    return seed_group(said.kind, None, None, said.name, said.preset, said.env, said.family, said.config, unlike)


def finish(session: Session, run_id: str, said: FinishIn, now: float) -> tuple[Run, News]:
    """The same ending told twice is the same ending."""
    run, state = _hold_own(session, run_id), RunState(said.state)
    if run.state == state:
        return run, News()
    if run.state.is_final:
        raise ConflictError(f"Run {run_id} has {run.state} already.", where="state", seen=said.state)
    message = said.error.splitlines()[0][:200] if said.error else f"it {state}"
    move(session, run, state, now, kind=state.value, message=message, error=run.error or said.error)
    return run, needs.settle(session, run, now)


def progress(session: Session, run_id: str, said: ProgressIn, now: float) -> Run:
    run = _hold_own(session, run_id)
    if run.state.is_final:
        raise ConflictError(f"Run {run_id} has {run.state} already.", where="state", seen=run.state)
    touch(session, run, now, **said.model_dump(exclude_unset=True, exclude_none=True))
    return run


def _hold_own(session: Session, run_id: str) -> Run:
    """A run that its trainer reports on by itself."""
    run = hold_run(session, run_id)
    if session.get(Job, run_id) is not None:
        raise ConflictError(f"Run {run_id} is a job: its worker says how far it is and how it ends.", where="run_id")
    return run
