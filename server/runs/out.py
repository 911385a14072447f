"""A run as the API shows it, and many of them at the price of a few statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from server.clock import iso
from server.metrics.latest import latest
from server.tables import Experiment, Job, Run, RunKind, RunState, RunTag

_MOMENTS = ("created_at", "started_at", "ended_at", "updated_at", "deleted_at")


class ExperimentRef(BaseModel):
    id: str = Field(examples=["q4wz7kd2m9xc"])
    name: str = Field(examples=["horizon"])


class RunOut(BaseModel):
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: str = Field(examples=["k3x9c2m5q7dw"])
    experiment: ExperimentRef
    name: str = Field(examples=["cartpole, horizon 10"])
    kind: RunKind
    state: RunState
    reason: str | None = Field(description="why it is in this state, in a sentence")
    error: str | None = Field(description="the first error, in its own words")
    version: int = Field(description="goes up with every change; the ETag", examples=[7])
    preset: str | None = Field(examples=["cartpole"])
    env: str | None = Field(examples=["CartPole-v1"])
    recipe: str | None = Field(examples=["sheeprl"])
    mode: str | None = Field(examples=["train"])
    seed: int | None = Field(examples=[0])
    family: str | None = Field(description="equal where scores may be compared", examples=["5f2c9a0e1b7d"])
    fingerprint: str | None = Field(description="equal for all seeds of a setting", examples=["9e107d9d372b"])
    seed_group: str = Field(description="equal for runs that differ in the seed alone", examples=["b6d81b360a56"])
    commit: str | None = Field(description="the code that was asked for; null: the installed one")
    source_commit: str | None = Field(description="the code that ran, as its manifest says")
    config: dict[str, Any] | None = Field(description="the whole resolved config; null in lists")
    parent_id: str | None = Field(description="the run it was cloned from, or evaluates")
    hypothesis: str
    primary_metric: str | None = Field(examples=["eval/mean_return"])
    stop_rule: str
    hypothesis_fixed: bool = Field(description="whether hypothesis, primary_metric and stop_rule can change no more")
    conclusion: str
    notes: str
    tags: list[str] = Field(examples=[["baseline", "long"]])
    env_steps: int = Field(examples=[4000])
    train_steps: int = Field(examples=[1488])
    total_steps: int | None = Field(examples=[8000])
    steps_per_s: float | None = Field(description="environment steps a second", examples=[412.5])
    progress: float | None = Field(description="0 to 1; null where no end is known", examples=[0.5])
    eta_s: float | None = Field(description="seconds to go; null unless it is running", examples=[9.7])
    created_at: str = Field(examples=["2026-11-21T10:15:02.345+00:00"])
    started_at: str | None
    ended_at: str | None
    updated_at: str
    deleted_at: str | None
    is_job: bool = Field(description="whether a worker does it; false for imported runs")
    metrics: dict[str, float | str] = Field(
        description="the last values of the metrics that were asked for; a number that is not finite is a word",
        examples=[{"eval/return_mean": 412.5}],
    )


_WORKED_OUT = {"experiment", "hypothesis_fixed", "config", "tags", "progress", "eta_s", "is_job", "metrics"}
_PLAIN = sorted(RunOut.model_fields.keys() - _WORKED_OUT - set(_MOMENTS))


def run_out(session: Session, run: Run) -> RunOut:
    """With its config."""
    return runs_out(session, [run], with_config=True)[0]


def runs_out(
    session: Session, runs: Sequence[Run], *, metrics: Sequence[str] = (), with_config: bool = False
) -> list[RunOut]:
    """In the order given; without their configs unless they are asked for."""
    ids = [run.id for run in runs]
    experiments = _experiments(session, {run.experiment_id for run in runs})
    tags = _tags(session, ids)
    attempts = dict(session.exec(select(Job.run_id, Job.attempts).where(col(Job.run_id).in_(ids))).all())
    values: Mapping[str, dict[str, float | str]] = latest(session, ids, metrics) if metrics and ids else {}
    return [
        RunOut(
            **{name: getattr(run, name) for name in _PLAIN},
            **{name: iso(getattr(run, name)) for name in _MOMENTS},
            experiment=experiments[run.experiment_id],
            config=run.config if with_config else None,
            tags=tags[run.id],
            progress=progress(run),
            eta_s=eta_s(run),
            is_job=run.id in attempts,
            hypothesis_fixed=has_begun(run, attempts.get(run.id, 0)),
            metrics=values.get(run.id, {}),
        )
        for run in runs
    ]


def has_begun(run: Run, attempts: int) -> bool:
    """Also one that is queued again: what was expected of it is not changed after it was seen."""
    return run.state != RunState.QUEUED or attempts > 0


def progress(run: Run) -> float | None:
    if run.total_steps:
        return min(1.0, run.env_steps / run.total_steps)
    return 1.0 if run.state == RunState.SUCCEEDED else None  # an evaluation counts no steps towards an end


def eta_s(run: Run) -> float | None:
    if run.state != RunState.RUNNING or not run.total_steps or not run.steps_per_s:
        return None
    return round(max(0, run.total_steps - run.env_steps) / run.steps_per_s, 1)


def _experiments(session: Session, ids: Iterable[str]) -> dict[str, ExperimentRef]:
    found = session.exec(select(Experiment.id, Experiment.name).where(col(Experiment.id).in_(ids)))
    return {experiment_id: ExperimentRef(id=experiment_id, name=name) for experiment_id, name in found}


def _tags(session: Session, ids: Sequence[str]) -> defaultdict[str, list[str]]:
    tags: defaultdict[str, list[str]] = defaultdict(list)
    for row in session.exec(select(RunTag).where(col(RunTag.run_id).in_(ids)).order_by(col(RunTag.tag))):
        tags[row.run_id].append(row.tag)
    return tags
