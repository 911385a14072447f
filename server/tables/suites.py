"""Suites as they were applied, each time one was run, and the runs that this took."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from dreamer_core.gates.verdict import Verdict
from server.tables.base import json_column, word_column


class Suite(SQLModel, table=True):
    """One version of a named list of scenarios. The newest one counts."""

    __tablename__ = "suite"

    name: str = Field(primary_key=True, max_length=80)
    version: int = Field(primary_key=True)
    created_at: float
    source: str = Field(max_length=200)  # where it is kept: a file of a repository, or who sent it
    scheduled_at: float | None = None  # the moment of its schedule that was started last
    body: dict[str, Any] = Field(sa_column=json_column())


class SuiteState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class SuiteRun(SQLModel, table=True):
    """A suite, once: its jobs, its gate results, and the verdict that they come to."""

    __tablename__ = "suite_run"
    __table_args__ = (
        Index("ix_suite_run_suite_created_at_id", "suite", "created_at", "id"),
        Index("ix_suite_run_state", "state"),
        Index("ix_suite_run_created_at_id", "created_at", "id"),
    )

    id: str = Field(primary_key=True, max_length=12)
    suite: str = Field(max_length=80)
    suite_version: int
    state: SuiteState = Field(sa_column=word_column(SuiteState, check="state"))
    verdict: Verdict | None = Field(default=None, sa_column=word_column(Verdict, nullable=True))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    commit: str | None = Field(default=None, max_length=40)  # None: what the workers have installed
    branch: str | None = Field(default=None, max_length=120)
    trigger: str = Field(max_length=16)  # schedule, ci, terminal, page or bisect
    who: str = Field(default="", max_length=120)
    created_at: float
    ended_at: float | None = None
    body: dict[str, Any] = Field(sa_column=json_column())  # the suite as it was
    posted: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())  # numbers, by scenario
    stopped: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())  # early, and why, by scenario


class SuiteStep(SQLModel, table=True):
    """A run of a suite run: which scenario it belongs to, and which try of it."""

    __tablename__ = "suite_step"
    __table_args__ = (Index("ix_suite_step_run_id", "run_id"),)

    suite_run_id: str = Field(primary_key=True, foreign_key="suite_run.id", ondelete="CASCADE", max_length=12)
    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    scenario: str = Field(max_length=80)
    kind: str = Field(max_length=16)  # train, eval or bench
    attempt: int = Field(default=1)  # 2 and more: reruns that confirm


class Webhook(SQLModel, table=True):
    """An address that is told every verdict, and how far that got."""

    __tablename__ = "webhook"

    id: str = Field(primary_key=True, max_length=12)
    url: str = Field(max_length=500)
    secret: str = Field(max_length=120)  # signs what is sent
    suites: list[str] = Field(sa_column=json_column())  # empty: all
    created_at: float


class Delivery(SQLModel, table=True):
    """One message to a webhook: sent until it is taken or too old."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due_at", "due_at"), Index("ix_delivery_suite_run_id", "suite_run_id"))

    id: str = Field(primary_key=True, max_length=12)
    webhook_id: str = Field(foreign_key="webhook.id", ondelete="CASCADE", max_length=12)
    suite_run_id: str = Field(foreign_key="suite_run.id", ondelete="CASCADE", max_length=12)
    created_at: float
    due_at: float | None = None  # None: taken, or given up
    tries: int = Field(default=0)
    answer: str | None = Field(default=None, max_length=200)  # what the last try came to
