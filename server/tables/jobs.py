"""Jobs (a run in the queue), the attempts at them, what they wait for, and the workers that take them."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from server.tables.base import RunState, json_column, word_column


class Job(SQLModel, table=True):
    """A run in the queue. Its state is the run's. The row is the truth; a broker message only wakes a worker up."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_lease_until", "lease_until"),)

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    queue: str = Field(max_length=60)
    priority: int = Field(default=0)  # higher first, then the older
    gpus: int = Field(default=0)
    arguments: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())  # of eval, bench and viz
    checkpoint_run_id: str | None = Field(default=None, foreign_key="run.id", max_length=12)
    checkpoint: str | None = Field(default=None, max_length=60)  # best, last, or the name of one
    limits: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())  # rss_mib, disk_mib, seconds

    queued_at: float  # since somebody put it into the queue; a lost or drained one keeps its place
    not_before: float | None = None  # backoff after a lost worker
    cancel_requested_at: float | None = None
    attempts: int = Field(default=0)  # ever, so that their numbers go on when it is retried
    lost: int = Field(default=0)  # attempts that ended with their worker; the only ones that are retried
    max_lost: int = Field(default=3)
    fresh: bool = Field(default=False)  # retried: what lies in the run's folder counts no more
    resume_changes: list[str] = Field(default_factory=list, sa_column=json_column())  # `steps=8000`, when resumed

    lease_token: str | None = Field(default=None, max_length=32)  # whoever knows it may write
    lease_worker_id: str | None = Field(default=None, max_length=12)
    lease_until: float | None = None
    usage: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))  # at the last heartbeat


class JobNeed(SQLModel, table=True):
    """`run_id` starts only after `needs_id` has succeeded."""

    __tablename__ = "job_need"
    __table_args__ = (Index("ix_job_need_needs_id", "needs_id"),)

    run_id: str = Field(primary_key=True, foreign_key="job.run_id", ondelete="CASCADE", max_length=12)
    needs_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LIMITED = "limited"  # met one of its own limits; saved first
    DRAINED = "drained"  # its worker was asked to go; back to the queue
    LOST = "lost"  # nothing was heard of its worker any more; back to the queue


class Attempt(SQLModel, table=True):
    __tablename__ = "attempt"
    __table_args__ = (Index("uq_attempt_run_id_number", "run_id", "number", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(foreign_key="job.run_id", ondelete="CASCADE", max_length=12)
    number: int  # from 1
    worker_id: str = Field(foreign_key="worker.id", max_length=12)
    token: str = Field(max_length=32)  # of its lease; an ending that is told twice is known by it
    started_at: float
    ended_at: float | None = None
    outcome: Outcome | None = Field(default=None, sa_column=word_column(Outcome, nullable=True))
    next_state: RunState | None = Field(default=None, sa_column=word_column(RunState, nullable=True))  # of the run
    exit_code: int | None = None
    reason: str | None = Field(default=None, sa_column=Column(Text))
    peak: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())  # rss_mib, gpu_mib, disk_mib


class Worker(SQLModel, table=True):
    __tablename__ = "worker"

    id: str = Field(primary_key=True, max_length=12)
    name: str = Field(max_length=120, unique=True)  # registering again under a name takes its place
    host: str = Field(max_length=255)
    pid: int
    queues: list[str] = Field(sa_column=json_column())
    slots: int
    free_slots: int
    gpus: int = Field(default=0)
    runs_commits: bool = Field(default=False)  # was given a source repository
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())  # version, devices, cpu, testbed
    state: str = Field(max_length=16)  # online, draining, offline
    started_at: float
    seen_at: float
    problem: str | None = Field(default=None, sa_column=Column(Text))  # why it takes no jobs, in its own words
