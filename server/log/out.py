"""The log of an experiment as values: what the API answers, a page shows, and Markdown is written from."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from dreamer_core.gates import Verdict
from server.runs.out import ExperimentRef
from server.tables import RunKind, RunState

Against = Literal["parent", "common", "preset", "nothing"]
Value = float | str  # the word for it where it is not finite


class Change(BaseModel):
    key: str = Field(description="dotted, or commit", examples=["algo.horizon"])
    before: Any = Field(description="null where there was none")
    after: Any


class Changed(BaseModel):
    against: Against = Field(
        description="what it is held against: the run that it was cloned from; what most groups of the experiment "
        "have; its own preset, where it is like most; nothing, where it looks at another run"
    )
    run_id: str | None = Field(description="the parent, or the run that it looks at")
    preset: str | None
    commit: str | None = Field(description="the code that ran, where it is known")
    changes: list[Change]
    left_out: int = Field(description="how many more there are")


class Said(BaseModel):
    text: str
    seeds: list[int | None] | None = Field(description="null: it is said of all runs of the group")


class Summary(BaseModel):
    """Over seeds; of two runs with one seed, the newer counts."""

    n: int = Field(description="seeds with a finite value")
    not_finite: int = Field(description="seeds whose value is NaN or infinite; they are in none of the numbers here")
    median: float | None
    iqm: float | None = Field(description="interquartile mean, from 4 seeds on")
    min: float | None
    max: float | None


class Column(BaseModel):
    """A metric of a result table."""

    key: str = Field(examples=["eval/mean_return"])
    direction: Literal["lower", "higher", "info"]
    unit: str
    is_primary: bool
    summary: Summary


class LoggedRun(BaseModel):
    id: str
    seed: int | None
    state: RunState
    error: str | None = Field(description="the first line of it")
    counts: bool = Field(description="false where a newer run has its seed")
    env_steps: int
    train_steps: int
    created_at: str
    values: dict[str, Value] = Field(description="lower median over the last tenth of the run's steps, by metric")


class LoggedVerdict(BaseModel):
    id: str = Field(description="of the gate result")
    gate: str
    gate_version: int
    verdict: Verdict
    reason: str
    baseline: str | None = Field(description="name@version")
    created_at: str


class Annotation(BaseModel):
    run_id: str
    seed: int | None
    env_steps: int | None
    at: str
    text: str


class LoggedGroup(BaseModel):
    seed_group: str
    name: str
    kind: RunKind
    preset: str | None
    env: str | None
    began_at: str = Field(description="its first run; of one that waits, when it was made")
    changed: Changed
    hypothesis: list[Said]
    primary_metric: str | None
    stop_rule: list[Said]
    columns: list[Column]
    runs: list[LoggedRun]
    verdicts: list[LoggedVerdict] = Field(description="the newest first")
    conclusion: list[Said]
    notes: list[Said]
    annotations: list[Annotation] = Field(description="the oldest first")

    @property
    def decides(self) -> Column | None:
        """The column that stands for the group: its primary metric, or the first there is."""
        return next((column for column in self.columns if column.is_primary), next(iter(self.columns), None))

    @property
    def states(self) -> dict[str, int]:
        """How many runs are in which state, in the order of the states."""
        found = [run.state for run in self.runs]
        return {state.value: found.count(state) for state in RunState if state in found}


class LogOut(BaseModel):
    experiment: ExperimentRef
    question: str
    created_at: str
    groups: list[LoggedGroup] = Field(description="seed groups, in the order in which they began")
    left_out: int = Field(description="older groups that are not here")
