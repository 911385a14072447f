"""Baselines, gates, and what gates came to. Written once and never changed, but for a baseline that is retired."""

from typing import Any

from sqlalchemy import Column, Index, Text
from sqlmodel import Field, SQLModel

from dreamer_core.gates.verdict import Verdict
from server.tables.base import json_column, word_column


class Baseline(SQLModel, table=True):
    """A blessed run or seed group. What a list shows has columns; `body` is the whole, as the core writes it."""

    __tablename__ = "baseline"
    __table_args__ = (Index("uq_baseline_name_version", "name", "version", unique=True),)

    id: str = Field(primary_key=True, max_length=12)
    name: str = Field(max_length=80)
    version: int
    created_at: float
    who: str = Field(max_length=120)
    why: str = Field(sa_column=Column(Text, nullable=False))
    family: str | None = Field(default=None, max_length=12)  # None where the numbers did not say
    flags: list[str] = Field(sa_column=json_column())
    seeds: int  # how many runs are in it
    retired_at: float | None = None
    retired_why: str | None = Field(default=None, sa_column=Column(Text))
    body: str = Field(sa_column=Column(Text, nullable=False))  # last, because it is long


class BaselineRun(SQLModel, table=True):
    """A run of this server that a baseline was made from."""

    __tablename__ = "baseline_run"
    __table_args__ = (Index("ix_baseline_run_run_id", "run_id"),)

    baseline_id: str = Field(primary_key=True, foreign_key="baseline.id", ondelete="CASCADE", max_length=12)
    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)


class Gate(SQLModel, table=True):
    """One version of a named list of checks."""

    __tablename__ = "gate"

    name: str = Field(primary_key=True, max_length=80)
    version: int = Field(primary_key=True)
    created_at: float
    source: str = Field(max_length=200)  # where it is kept: a file of a repository, or who sent it
    body: dict[str, Any] = Field(sa_column=json_column())


class GateResult(SQLModel, table=True):
    """What a gate came to for some runs. `body` is the whole, with the gate as it was."""

    __tablename__ = "gate_result"
    __table_args__ = (
        Index("ix_gate_result_created_at_id", "created_at", "id"),
        Index("ix_gate_result_gate_created_at_id", "gate", "created_at", "id"),
        Index("ix_gate_result_suite_run_id", "suite_run_id"),
    )

    id: str = Field(primary_key=True, max_length=12)
    gate: str = Field(max_length=80)
    gate_version: int
    verdict: Verdict = Field(sa_column=word_column(Verdict))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    baseline_id: str | None = Field(default=None, foreign_key="baseline.id", max_length=12)
    suite_run_id: str | None = Field(default=None, foreign_key="suite_run.id", ondelete="CASCADE", max_length=12)
    scenario: str | None = Field(default=None, max_length=80)
    is_final: bool = Field(default=True)  # not where a rerun took its place
    commit: str | None = Field(default=None, max_length=40)
    family: str | None = Field(default=None, max_length=12)
    created_at: float
    body: dict[str, Any] = Field(sa_column=json_column())


class GateResultRun(SQLModel, table=True):
    """A run that a gate looked at."""

    __tablename__ = "gate_result_run"
    __table_args__ = (Index("ix_gate_result_run_run_id", "run_id"),)

    result_id: str = Field(primary_key=True, foreign_key="gate_result.id", ondelete="CASCADE", max_length=12)
    run_id: str = Field(primary_key=True, foreign_key="run.id", ondelete="CASCADE", max_length=12)
