"""Experiments, the runs in them, and what happened to a run."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel

from server.tables.base import RunKind, RunState, json_column, word_column


class Experiment(SQLModel, table=True):
    """A named folder of runs with a question behind it."""

    __tablename__ = "experiment"

    id: str = Field(primary_key=True, max_length=12)
    name: str = Field(max_length=120, unique=True)
    question: str = Field(default="", sa_column=Column(Text, nullable=False))
    created_at: float
    deleted_at: float | None = None


class Run(SQLModel, table=True):
    """One execution of one kind, with one resolved config and one seed."""

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_created_at_id", "created_at", "id"),
        Index("ix_run_experiment_id_created_at_id", "experiment_id", "created_at", "id"),
        Index("ix_run_state_created_at_id", "state", "created_at", "id"),
        Index("ix_run_seed_group", "seed_group"),
        Index("ix_run_parent_id", "parent_id"),
    )

    id: str = Field(primary_key=True, max_length=12)
    experiment_id: str = Field(foreign_key="experiment.id", max_length=12)
    name: str = Field(max_length=120)
    kind: RunKind = Field(sa_column=word_column(RunKind))
    state: RunState = Field(sa_column=word_column(RunState, check="state"))
    reason: str | None = Field(default=None, sa_column=Column(Text))  # why it is in this state, in a sentence
    error: str | None = Field(default=None, sa_column=Column(Text))  # the first one; later ones are its echo
    version: int = Field(default=1)  # goes up with every change of this row: an ETag

    # What it is. None where an import did not say.
    preset: str | None = Field(default=None, max_length=120)
    env: str | None = Field(default=None, max_length=120)
    recipe: str | None = Field(default=None, max_length=16)
    mode: str | None = Field(default=None, max_length=16)
    seed: int | None = Field(default=None, sa_type=BigInteger)
    family: str | None = Field(default=None, max_length=12)
    fingerprint: str | None = Field(default=None, max_length=12)
    seed_group: str = Field(max_length=12)  # equal for runs that differ in the seed only
    commit: str | None = Field(default=None, max_length=40)  # the code that was asked for, None for the installed one
    source_commit: str | None = Field(default=None, max_length=40)  # the code that ran, as its manifest says

    # Why it is.
    parent_id: str | None = Field(default=None, foreign_key="run.id", max_length=12)  # cloned from, or evaluates
    hypothesis: str = Field(default="", sa_column=Column(Text, nullable=False))
    primary_metric: str | None = Field(default=None, max_length=120)
    stop_rule: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    conclusion: str = Field(default="", sa_column=Column(Text, nullable=False))
    notes: str = Field(default="", sa_column=Column(Text, nullable=False))

    # How far it is.
    env_steps: int = Field(default=0, sa_type=BigInteger)
    train_steps: int = Field(default=0, sa_type=BigInteger)
    total_steps: int | None = Field(default=None, sa_type=BigInteger)
    steps_per_s: float | None = None

    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    updated_at: float
    deleted_at: float | None = None

    # Last, because they are long: SQLite walks over a row's columns in order, and a list of runs reads all but these.
    config: dict[str, Any] = Field(sa_column=json_column())
    manifest: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))


class RunTag(SQLModel, table=True):
    __tablename__ = "run_tag"
    __table_args__ = (Index("ix_run_tag_tag", "tag"),)

    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
    tag: str = Field(primary_key=True, max_length=60)


class Event(SQLModel, table=True):
    """Something that happened to a run: the run's own (`core`, one per line of events.jsonl) or the server's."""

    __tablename__ = "event"
    __table_args__ = (
        Index("uq_event_run_id_origin_position", "run_id", "origin", "position", unique=True),
        Index("ix_event_run_id_id", "run_id", "id"),
        {"sqlite_autoincrement": True},  # an id is never used again: readers ask for what comes after the last they saw
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(foreign_key="run.id", ondelete="CASCADE", max_length=12)
    origin: str = Field(max_length=16)  # core, server, user
    position: int  # within run and origin, from 0, without gaps: a repeated line finds itself already there
    kind: str = Field(max_length=60)
    message: str = Field(default="", sa_column=Column(Text, nullable=False))
    env_steps: int | None = Field(default=None, sa_type=BigInteger)
    train_steps: int | None = Field(default=None, sa_type=BigInteger)
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    at: float
