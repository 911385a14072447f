"""Suites and suite runs as the API and the pages show them."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from dreamer_core.gates import Verdict
from dreamer_core.suites import Suite, stored_suite
from server import tables
from server.clock import iso
from server.gates.gate_routes import ResultOut, results_out
from server.suites import advance, progress
from server.suites.progress import Progress
from server.tables import RunState, SuiteRun, SuiteState


class GateUseOut(BaseModel):
    gate: str
    of: str
    baseline: str | None


class ScenarioOut(BaseModel):
    name: str
    seeds: list[int]
    jobs: int = Field(description="of one try")
    gates: list[GateUseOut]


class JobsOut(BaseModel):
    total: int
    done: int
    failed: int


class SuiteRunOut(BaseModel):
    id: str
    suite: str
    suite_version: int
    state: SuiteState
    verdict: Verdict | None = Field(description="null while it runs")
    green: bool | None
    reason: str
    commit: str | None = Field(description="null: what the workers have installed")
    branch: str | None
    trigger: str = Field(examples=["ci"])
    who: str
    created_at: str
    ended_at: str | None
    jobs: JobsOut


class StepOut(BaseModel):
    run_id: str
    kind: str
    seed: int | None
    state: RunState
    attempt: int = Field(description="2 and more: tried again to confirm a red verdict")


class ScenarioRunOut(BaseModel):
    name: str
    verdict: Verdict | None
    attempt: int
    waits_for: str | None
    stuck: str | None = Field(
        description="why no worker can take its next job", examples=["No live worker serves the queue 'gpu'."]
    )
    stopped: str | None = Field(description="why its jobs were stopped early")
    runs: list[StepOut]
    results: list[ResultOut] = Field(description="of all attempts; only the final ones count")


class SuiteRunDetail(SuiteRunOut):
    scenarios: list[ScenarioRunOut]


class SuiteOut(BaseModel):
    name: str
    version: int
    created_at: str
    source: str
    question: str
    schedule: str | None = Field(description="cron's five fields, UTC", examples=["0 3 * * *"])
    next_at: str | None
    scenarios: list[ScenarioOut]
    unused_gates: list[str] = Field(description="thresholds that nobody looks at")
    body: dict[str, Any] = Field(description="the suite as it was applied")
    latest: SuiteRunOut | None


def suites_out(session: Session, rows: Sequence[tables.Suite]) -> list[SuiteOut]:
    latest = _latest(session, [row.name for row in rows])
    return [_suite_out(row, stored_suite(row.body), latest.get(row.name)) for row in rows]


def suite_runs_out(session: Session, rows: Sequence[SuiteRun]) -> list[SuiteRunOut]:
    scenarios = progress.of_many(session, rows)
    return [_run_out(row, scenarios[row.id]) for row in rows]


def suite_run_detail(session: Session, row: SuiteRun) -> SuiteRunDetail:
    scenarios = progress.of(session, row)
    found = [_scenario_out(session, row, one) for one in scenarios]
    return SuiteRunDetail(**_run_out(row, scenarios).model_dump(), scenarios=found)


def _suite_out(row: tables.Suite, suite: Suite, latest: SuiteRunOut | None) -> SuiteOut:
    scenarios = [
        ScenarioOut(
            name=one.name,
            seeds=list(one.seeds),
            jobs=one.jobs,
            gates=[GateUseOut(gate=use.gate, of=use.of, baseline=use.baseline) for use in one.gates],
        )
        for one in suite.scenarios
    ]
    return SuiteOut(
        name=row.name,
        version=row.version,
        created_at=iso(row.created_at),
        source=row.source,
        question=suite.question,
        schedule=None if suite.schedule is None else str(suite.schedule),
        next_at=iso(advance.next_at(row)),
        scenarios=scenarios,
        unused_gates=list(suite.unused_gates),
        body=row.body,
        latest=latest,
    )


def _latest(session: Session, names: Sequence[str]) -> dict[str, SuiteRunOut]:
    """The newest run of each suite: a look into the index for each, in one statement."""
    other = aliased(SuiteRun)
    own = select(other.id).where(other.suite == tables.Suite.name).correlate(tables.Suite)
    newest = own.order_by(col(other.created_at).desc(), col(other.id).desc()).limit(1).scalar_subquery()
    ids = select(newest).select_from(tables.Suite).where(col(tables.Suite.name).in_(names))
    found = session.exec(select(SuiteRun).where(col(SuiteRun.id).in_(ids))).all()
    return {one.suite: one for one in suite_runs_out(session, found)}


_COLUMNS = (
    "id",
    "suite",
    "suite_version",
    "state",
    "verdict",
    "reason",
    "commit",
    "branch",
    "trigger",
    "who",
)


def _run_out(row: SuiteRun, scenarios: Sequence[Progress]) -> SuiteRunOut:
    states = [step.run.state for one in scenarios for step in one.steps]
    return SuiteRunOut(
        **{name: getattr(row, name) for name in _COLUMNS},
        green=None if row.verdict is None else row.verdict.is_green,
        created_at=iso(row.created_at),
        ended_at=iso(row.ended_at),
        jobs=JobsOut(
            total=len(states),
            done=sum(state.is_final for state in states),
            failed=sum(state == RunState.FAILED for state in states),
        ),
    )


def _scenario_out(session: Session, row: SuiteRun, one: Progress) -> ScenarioRunOut:
    return ScenarioRunOut(
        name=one.scenario.name,
        verdict=one.verdict,
        attempt=one.attempt,
        waits_for=one.waits_for if row.state == SuiteState.RUNNING else None,
        stuck=one.stuck if row.state == SuiteState.RUNNING else None,
        stopped=row.stopped.get(one.scenario.name),
        runs=[
            StepOut(
                run_id=step.run.id,
                kind=step.kind,
                seed=step.run.seed,
                state=step.run.state,
                attempt=step.attempt,
            )
            for step in one.steps
        ],
        results=results_out(session, one.results),
    )
