"""What gates came to: judged from stored or posted numbers, kept for ever, found again by what they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from dreamer_core import gates
from dreamer_core.gates import Evidence, Gate, Past, SeedGroup, Verdict, gate_to_mapping, to_plain
from dreamer_core.metrics.jsonsafe import dumps, loads
from server import paging
from server.errors import NotFoundError
from server.gates import baselines, evidence
from server.ids import new_id
from server.runs.rows import is_id
from server.tables import Baseline, GateResult, GateResultRun, Run, SuiteRun


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A result with what it is about, before it is kept."""

    gate: Gate
    result: gates.GateResult
    baseline: Baseline | None
    runs: Sequence[Run]
    candidate: SeedGroup
    commit: str | None
    values: Mapping[str, Past] = field(default_factory=dict)  # what later runs remember of this one


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a suite run a result belongs."""

    suite_run_id: str
    scenario: str
    is_final: bool = True


def judge_runs(
    session: Session, gate: Gate, runs: Sequence[Run], baseline: Baseline | None, commit: str | None = None
) -> Judged:
    """By the numbers that the runs have now."""
    return judge_numbers(gate, evidence.group_of(session, runs), baseline, runs=runs, commit=commit)


def judge_numbers(
    gate: Gate,
    candidate: SeedGroup,
    baseline: Baseline | None,
    *,
    runs: Sequence[Run] = (),
    commit: str | None = None,
    past: dict[str, tuple[Past, ...]] | None = None,
) -> Judged:
    against = None if baseline is None else baselines.read(baseline)
    result = gates.evaluate(gate, Evidence(candidate=candidate, baseline=against, history=past or {}))
    commits = candidate.facts("commit")
    found = commit or (commits.pop() if len(commits) == 1 else None)
    return Judged(gate=gate, result=result, baseline=baseline, runs=runs, candidate=candidate, commit=found)


def keep(session: Session, judged: Judged, now: float, place: Place | None = None) -> GateResult:
    """As it is, with the gate as it was: neither a newer gate nor a newer baseline changes what was said."""
    families = judged.candidate.facts("family")
    row = GateResult(
        id=new_id(),
        gate=judged.gate.name,
        gate_version=judged.gate.version,
        verdict=judged.result.verdict,
        reason=judged.result.reason,
        baseline_id=None if judged.baseline is None else judged.baseline.id,
        suite_run_id=None if place is None else place.suite_run_id,
        scenario=None if place is None else place.scenario,
        is_final=place is None or place.is_final,
        commit=None if judged.commit is None else judged.commit[:40],
        family=families.pop()[:12] if len(families) == 1 else None,
        created_at=now,
        body=_body(judged),
    )
    session.add(row)
    session.flush()
    session.add_all(GateResultRun(result_id=row.id, run_id=run.id) for run in judged.runs)
    session.flush()
    return row


def _body(judged: Judged) -> dict[str, Any]:
    """Numbers that are not finite become the words for them."""
    said = {
        **to_plain(judged.result),
        "checks": gate_to_mapping(judged.gate)["checks"],
        "values": {key: {"value": past.value, "testbed": past.testbed} for key, past in judged.values.items()},
    }
    plain: dict[str, Any] = loads(dumps(said))
    return plain


def get(session: Session, result_id: str) -> GateResult:
    row = session.get(GateResult, result_id) if is_id(result_id) else None
    if row is None:
        raise NotFoundError.of("gate result", result_id)
    return row


def page(
    session: Session,
    *,
    gate: str | None = None,
    verdict: Verdict | None = None,
    run: str | None = None,
    suite_run: str | None = None,
    baseline: str | None = None,
    suite: str | None = None,
    version: int | None = None,
    limit: int,
    cursor: str | None,
) -> tuple[list[GateResult], str | None]:
    """The newest first. `baseline`: its id. `suite`: a name, or nothing for results of no suite."""
    query = select(GateResult)
    if suite == "":
        query = query.where(col(GateResult.suite_run_id).is_(None))
    elif suite is not None:
        query = query.where(col(GateResult.suite_run_id).in_(select(SuiteRun.id).where(SuiteRun.suite == suite)))
    for column, wanted in (
        (GateResult.gate, gate),
        (GateResult.gate_version, version),
        (GateResult.verdict, verdict),
        (GateResult.suite_run_id, suite_run),
        (GateResult.baseline_id, baseline),
    ):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if run is not None:
        about = select(GateResultRun.result_id).where(GateResultRun.run_id == run)
        query = query.where(col(GateResult.id).in_(about))
    return paging.newest(session, query, GateResult, limit, cursor)


def runs_of(session: Session, ids: Sequence[str]) -> dict[str, list[str]]:
    """The runs that each result looked at."""
    found: dict[str, list[str]] = {result_id: [] for result_id in ids}
    query = select(GateResultRun).where(col(GateResultRun.result_id).in_(ids)).order_by(col(GateResultRun.run_id))
    for row in session.exec(query):
        found[row.result_id].append(row.run_id)
    return found


def suites_of(session: Session, rows: Sequence[GateResult]) -> dict[str, str]:
    """The suites that asked, by suite run."""
    ids = {row.suite_run_id for row in rows if row.suite_run_id}
    query = select(SuiteRun.id, SuiteRun.suite).where(col(SuiteRun.id).in_(ids))
    return dict(session.exec(query).all()) if ids else {}
