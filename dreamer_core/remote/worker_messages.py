"""What a worker and the server tell each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

WorkerState = Literal["online", "draining", "offline"]
Outcome = Literal["succeeded", "failed", "cancelled", "limited", "drained"]


@dataclass(frozen=True, kw_only=True)
class WorkerFacts:
    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    slots: int
    gpus: int = 0
    runs_commits: bool = False  # it has a source repository
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker as the server knows it."""

    id: str
    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    slots: int
    gpus: int
    runs_commits: bool
    facts: dict[str, Any]
    state: str
    started_at: str
    seen_at: str
    running: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Registration:
    id: str
    lease_s: float


@dataclass(frozen=True, kw_only=True)
class CheckpointOf:
    """A checkpoint by reference: of which run, and which of them (best, last, or a name)."""

    run_id: str
    which: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One attempt at a job. Whoever knows the token may write to the run."""

    run_id: str
    token: str
    attempt: int
    kind: str
    name: str
    config: dict[str, Any]
    arguments: dict[str, Any]
    mode: str | None
    seed: int | None
    commit: str | None
    checkpoint: CheckpointOf | None
    gpus: int
    limits: dict[str, Any]
    lease_s: float
    records: int  # metric records that the server has
    events: int  # events of the core that the server has
    log_bytes: int
    resume_changes: tuple[str, ...]
    fresh: bool  # start over, whatever lies in the folder


@dataclass(frozen=True, kw_only=True)
class ClaimAnswer:
    claim: Claim | None
    wait: bool  # a bigger job is next: keep what is free for it


@dataclass(frozen=True, kw_only=True)
class Progress:
    env_steps: int
    train_steps: int | None = None
    steps_per_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer:
    cancel: bool
    lease_s: float


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ended, told once; telling it again changes nothing."""

    outcome: Outcome
    exit_code: int | None = None
    reason: str | None = None
    error: str | None = None
    peak: Mapping[str, Any] = field(default_factory=dict)
