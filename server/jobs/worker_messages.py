"""What workers and the server say to each other, as JSON."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from server.jobs.claim import Claimed
from server.jobs.orders import Queue
from server.jsonvalues import Count, JsonObject, Text
from server.runs.words import Name, Rate
from server.tables import RunKind, RunState

_MOST_WORDS = 100_000  # of an error; the end of it says what happened


def _storable(value: Any) -> Any:
    """A child may have said anything before it died, and how it ended must be kept all the same."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "\ufffd").encode(errors="replace").decode()[-_MOST_WORDS:]


Said = Annotated[str, BeforeValidator(_storable)]


class WorkerIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "box-1", "host": "box", "pid": 4711, "queues": ["gpu", "cpu"], "slots": 2, "gpus": 2}]
        },
    )

    name: Name = Field(description="whoever registers under it again takes its place")
    host: Annotated[Text, Field(max_length=255)]
    pid: Annotated[int, Field(ge=0, le=2**31 - 1)]
    queues: Annotated[list[Queue], Field(min_length=1, max_length=20)]
    slots: Annotated[int, Field(ge=1, le=1000)]
    gpus: Annotated[int, Field(ge=0, le=64)] = 0
    runs_commits: bool = Field(default=False, description="it was given a source repository")
    facts: JsonObject = Field(default={}, description="version, devices, cpu", examples=[{"cpu": "2 cores"}])


class Registered(BaseModel):
    id: str = Field(examples=["w7k3m9x2c5qd"])
    lease_s: float = Field(description="silent for longer, its jobs are given to others", examples=[30.0])


class WorkerBeat(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "online", "free_slots": 1}]})

    state: Literal["online", "draining", "offline"]
    free_slots: Annotated[int, Field(ge=0, le=1000)]
    problem: Annotated[Text, Field(max_length=1000)] | None = Field(default=None, description="why it takes no jobs")


class Counted(BaseModel):
    lease_s: float = Field(examples=[30.0])


class ClaimIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"queues": ["gpu"], "free_gpus": 1}]})

    queues: Annotated[list[Queue], Field(max_length=20)]
    free_gpus: Annotated[int, Field(ge=0, le=64)]


class CheckpointRef(BaseModel):
    run_id: str
    which: str


class ClaimOf(BaseModel):
    """One attempt at a job. Whoever says its token, in the lease header, may write to the run."""

    run_id: str
    token: str
    attempt: int
    kind: RunKind
    name: str
    config: dict[str, Any]
    arguments: dict[str, Any]
    mode: str | None
    seed: int | None
    commit: str | None
    checkpoint: CheckpointRef | None
    gpus: int
    limits: dict[str, Any]
    lease_s: float
    records: int = Field(description="of metrics, that are stored already")
    events: int = Field(description="of the run's own, that are stored already")
    log_bytes: int
    resume_changes: list[str] = Field(examples=[["steps=8000"]])
    fresh: bool = Field(description="start over, whatever lies in its folder")


class ClaimOut(BaseModel):
    claim: ClaimOf | None
    wait: bool = Field(description="the next job needs more GPUs than are free: keep them for it")


class Usage(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rss_mib": 640, "cpu_percent": 98.5}]})

    rss_mib: Rate | None = None
    cpu_percent: Rate | None = None
    gpu_mib: Rate | None = None
    gpu_percent: Rate | None = None
    disk_mib: Rate | None = None


class JobBeat(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"env_steps": 4000}]})

    usage: Usage | None = None
    env_steps: Count | None = None
    train_steps: Count | None = None
    steps_per_s: Rate | None = None


class JobBeatOut(BaseModel):
    cancel: bool = Field(description="save the state and stop")
    lease_s: float


class EndIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"outcome": "succeeded", "exit_code": 0}]}
    )

    outcome: Literal["succeeded", "failed", "cancelled", "limited", "drained"]
    exit_code: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)] | None = None
    reason: Said | None = Field(default=None, description="for people, in a sentence")
    error: Said | None = Field(default=None, description="in its own words")
    peak: Usage = Usage()


class Ended(BaseModel):
    state: RunState = Field(description="of the run now")


def claim_of(claimed: Claimed, lease_s: float) -> ClaimOf:
    run, job = claimed.run, claimed.job
    checkpoint = None
    if job.checkpoint_run_id is not None and job.checkpoint is not None:
        checkpoint = CheckpointRef(run_id=job.checkpoint_run_id, which=job.checkpoint)
    return ClaimOf(
        run_id=run.id,
        token=claimed.token,
        attempt=job.attempts,
        lease_s=lease_s,
        checkpoint=checkpoint,
        records=claimed.records,
        events=claimed.events,
        log_bytes=claimed.log_bytes,
        fresh=claimed.is_fresh,
        **{name: getattr(run, name) for name in ("kind", "name", "config", "mode", "seed", "commit")},
        **{name: getattr(job, name) for name in ("arguments", "gpus", "limits", "resume_changes")},
    )
