"""What the server answers about experiments, runs, jobs and numbers, as frozen values. Moments are ISO 8601, in UTC."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

FINAL = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """Part of a list. `next` is the cursor of the part after it, None at the end."""

    items: tuple[T, ...]
    next: str | None


@dataclass(frozen=True, kw_only=True)
class Experiment:
    id: str
    name: str
    question: str
    runs: int
    created_at: str
    deleted_at: str | None


@dataclass(frozen=True, kw_only=True)
class ExperimentName:
    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Run:
    id: str
    experiment: ExperimentName
    name: str
    kind: str
    state: str  # queued, running, stopping, succeeded, failed, cancelled
    reason: str | None  # why it is in this state
    error: str | None  # the first one
    version: int

    preset: str | None
    env: str | None
    recipe: str | None
    mode: str | None
    seed: int | None
    family: str | None
    fingerprint: str | None
    seed_group: str
    commit: str | None
    config: dict[str, Any] | None = None  # lists leave it out

    parent_id: str | None
    hypothesis: str
    primary_metric: str | None
    stop_rule: str
    hypothesis_fixed: bool  # whether the three above are fixed
    conclusion: str
    notes: str
    tags: tuple[str, ...]

    env_steps: int
    train_steps: int
    total_steps: int | None
    steps_per_s: float | None
    progress: float | None  # 0 to 1
    eta_s: float | None

    created_at: str
    started_at: str | None
    ended_at: str | None
    updated_at: str
    deleted_at: str | None
    is_job: bool
    metrics: dict[str, float | None] = field(default_factory=dict)  # the latest values, of the keys that were asked for

    @property
    def is_final(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True, kw_only=True)
class Attempt:
    number: int
    worker_id: str
    worker: str | None
    started_at: str
    ended_at: str | None
    outcome: str | None
    exit_code: int | None
    reason: str | None
    peak: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Job:
    run_id: str
    run: Run
    state: str  # the run's
    queue: str
    priority: int
    gpus: int
    arguments: dict[str, Any]
    checkpoint_run_id: str | None
    checkpoint: str | None
    needs: tuple[str, ...]
    unmet_needs: int
    limits: dict[str, Any]
    position: int | None  # in its queue, 1 is next
    attempts: tuple[Attempt, ...]
    cancel_requested: bool
    lease_until: str | None
    usage: dict[str, Any] | None
    queued_at: str
    not_before: str | None


@dataclass(frozen=True, kw_only=True)
class Queue:
    name: str
    queued: int  # jobs that could start now
    waiting: int  # jobs that wait for other runs, or a while after a lost worker
    running: int
    workers: int
    slots: int
    free_slots: int


@dataclass(frozen=True, kw_only=True)
class Event:
    id: int
    run_id: str
    origin: str
    kind: str
    message: str
    env_steps: int | None
    train_steps: int | None
    facts: dict[str, Any]
    at: str


@dataclass(frozen=True, kw_only=True)
class Artifact:
    name: str
    size: int
    sha256: str
    media_type: str
    created_at: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Preset:
    name: str
    text: str  # what it is, in a line


@dataclass(frozen=True, kw_only=True)
class PresetConfig:
    preset: str
    config: dict[str, Any]  # every key with its value


@dataclass(frozen=True, kw_only=True)
class Validated:
    """What a config would be: one run for each of `seeds`."""

    preset: str
    config: dict[str, Any]  # every key with its value
    fingerprint: str
    family: str
    env: str
    recipe: str
    mode: str
    seed: int
    total_steps: int
    seeds: tuple[int, ...]
    estimate: dict[str, Any] | None  # as `dreamgate train --dry-run --json` prints it
    estimate_problem: str | None  # why there is none, where one was asked for
