"""Routes of gates and their results: apply, evaluate, look."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import Session, col, select

from dreamer_core.errors import UsageError
from dreamer_core.gates import SeedGroup, Verdict
from dreamer_core.gates.posted import history_from
from dreamer_core.gates.records import run_from_records
from server.clock import iso
from server.errors import InvalidError
from server.gates import baselines, definitions, evidence, results
from server.gates.words import Number, Reference, Slug, Source
from server.house import HouseDep
from server.jobs.orders import Commit
from server.jsonvalues import JsonObject
from server.paging import Cursor, Limit, Page
from server.repeats import OnceDep
from server.runs.words import Hash, Id, Label
from server.tables import Baseline, Gate, GateResult

router = APIRouter(tags=["gates"])

_MOST_RECORDS = 100_000


class GateIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "version": 3,
                    "checks": [{"check": "finite"}, {"check": "hold", "level": 475, "keep": 400}],
                    "source": "gates/cartpole.yaml",
                }
            ]
        },
    )

    version: Number = 1
    checks: Annotated[list[JsonObject], Field(min_length=1, max_length=200)]
    directions: dict[Label, str] = {}
    source: Source = Field(default="", description="where it is kept: a file of a repository")


class GateOut(BaseModel):
    name: str
    version: int
    created_at: str | None = Field(description="null for the one that is built in")
    source: str
    checks: list[dict[str, Any]]
    directions: dict[str, str]


class PostedRun(BaseModel):
    """Numbers that are not stored here."""

    model_config = ConfigDict(extra="forbid")

    name: Label
    seed: int | None = Field(default=None, ge=0, le=2**53)
    records: Annotated[list[JsonObject], Field(max_length=_MOST_RECORDS)] = Field(
        description="as in metrics.jsonl; one record is a summary"
    )


class EvaluateIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"seed_group": "b6d81b360a56", "baseline": "cartpole", "commit": "1a2b3c4"}]},
    )

    version: Number | None = Field(default=None, description="absent: the newest")
    baseline: Reference | None = Field(default=None, description="name or name@version")
    runs: Annotated[list[Id], Field(max_length=evidence.MOST_RUNS)] = []
    seed_group: Hash | None = None
    numbers: Annotated[list[PostedRun], Field(max_length=evidence.MOST_RUNS)] = []
    history: JsonObject = Field(default={}, description="{metric: [values]}, from the oldest on, for change_point")
    commit: Commit | None = Field(default=None, description="what is judged, where the runs do not say")

    @model_validator(mode="after")
    def _says_which(self) -> "EvaluateIn":
        if bool(self.numbers) == bool(self.runs or self.seed_group):
            raise ValueError("say runs or a seed_group, or numbers")
        return self


class BaselineRef(BaseModel):
    id: str
    name: str
    version: int


class ResultOut(BaseModel):
    id: str
    gate: str
    gate_version: int
    verdict: Verdict
    green: bool
    reason: str
    baseline: BaselineRef | None
    runs: list[str]
    suite_run_id: str | None
    suite: str | None = Field(description="that asked; gates of different suites may have one name")
    scenario: str | None
    is_final: bool = Field(description="false where a rerun took its place")
    commit: str | None
    family: str | None
    created_at: str


class ResultDetail(ResultOut):
    results: list[dict[str, Any]] = Field(description="one for each check and metric, with the numbers that led to it")
    checks: list[dict[str, Any]] = Field(description="of the gate, as it was")
    flags: list[str] = Field(description="what is wrong with the baseline itself")
    notes: list[str] = Field(description="what could not be checked")


@router.get("/gates", response_model=Page[GateOut])
def list_gates(house: HouseDep, limit: Limit = 50, cursor: Cursor = None) -> Page[GateOut]:
    """The newest version of every gate, by name; `compare` is built in and not listed"""
    with house.database.reading() as session:
        found, after = definitions.page(session, limit=limit, cursor=cursor)
        return Page(items=[gate_out(row) for row in found], next=after)


@router.get("/gates/{name}", response_model=GateOut)
def show_gate(house: HouseDep, name: Slug, version: Annotated[Number | None, Query()] = None) -> GateOut:
    """One gate: its newest version, or the one that is asked for"""
    if name == definitions.COMPARE.name:
        return built_in()
    with house.database.reading() as session:
        return gate_out(definitions.get_row(session, name, version))


@router.put("/gates/{name}", response_model=GateOut)
def apply_gate(house: HouseDep, name: Slug, body: GateIn) -> GateOut:
    """Keep a gate; other checks need another version"""
    tree = body.model_dump(include={"version", "checks", "directions"})
    gate = definitions.parse({"name": name, **tree}, where="")
    with house.database.writing() as session:
        return gate_out(definitions.apply(session, gate, body.source, house.clock()))


@router.post("/gates/{name}/evaluate", response_model=ResultDetail, status_code=201)
def evaluate_gate(house: HouseDep, once: OnceDep, name: Slug, body: EvaluateIn) -> JSONResponse:
    """Judge stored runs, a seed group or posted numbers; the verdict is kept and linked"""
    with house.database.reading() as session:
        judged = _judge(session, name, body)
    with house.database.writing() as session:
        now = house.clock()

        def make() -> ResultDetail:
            return result_detail(session, results.keep(session, judged, now))

        return once.answer(session, now, body, make).response()


@router.get("/gate-results", response_model=Page[ResultOut])
def list_results(
    house: HouseDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    gate: Annotated[Slug | None, Query()] = None,
    verdict: Annotated[Verdict | None, Query()] = None,
    run: Annotated[Id | None, Query(description="that it looked at")] = None,
    suite_run: Annotated[Id | None, Query()] = None,
) -> Page[ResultOut]:
    """What gates came to, the newest first"""
    with house.database.reading() as session:
        found, after = results.page(
            session, gate=gate, verdict=verdict, run=run, suite_run=suite_run, limit=limit, cursor=cursor
        )
        return Page(items=results_out(session, found), next=after)


@router.get("/gate-results/{result_id}", response_model=ResultDetail)
def show_result(house: HouseDep, result_id: str) -> ResultDetail:
    """One verdict with every number that led to it"""
    with house.database.reading() as session:
        return result_detail(session, results.get(session, result_id))


def _judge(session: Session, name: str, body: EvaluateIn) -> results.Judged:
    gate = definitions.get(session, name, body.version)
    baseline = None if body.baseline is None else baselines.named(session, body.baseline)
    try:
        past = history_from(body.history, "history")
        if not body.numbers:
            runs = evidence.chosen(session, body.runs, body.seed_group)
            candidate = evidence.group_of(session, runs)
        else:
            runs, candidate = [], _posted(body.numbers)
    except UsageError as error:
        raise InvalidError(str(error)) from None
    return results.judge_numbers(gate, candidate, baseline, runs=runs, commit=body.commit, past=past)


def _posted(numbers: list[PostedRun]) -> SeedGroup:
    runs = tuple(run_from_records(one.records, name=one.name, seed=one.seed) for one in numbers)
    summaries = all(len(one.records) == 1 for one in numbers)
    return SeedGroup(runs=runs, input_kind="json" if summaries else "jsonl")


def built_in() -> GateOut:
    return GateOut(
        name="compare",
        version=1,
        created_at=None,
        source="built in",
        checks=[{"check": "threshold_median"}],
        directions={},
    )


def gate_out(row: Gate) -> GateOut:
    return GateOut(
        name=row.name,
        version=row.version,
        created_at=iso(row.created_at),
        source=row.source,
        checks=row.body["checks"],
        directions=row.body.get("directions", {}),
    )


_COLUMNS = (
    "id",
    "gate",
    "gate_version",
    "verdict",
    "reason",
    "suite_run_id",
    "scenario",
    "is_final",
    "commit",
    "family",
)


def results_out(session: Session, rows: Sequence[GateResult]) -> list[ResultOut]:
    runs = results.runs_of(session, [row.id for row in rows])
    against = _references(session, {row.baseline_id for row in rows if row.baseline_id})
    suites = results.suites_of(session, rows)
    return [
        ResultOut(
            **_columns(row),
            runs=runs[row.id],
            baseline=against.get(row.baseline_id or ""),
            suite=suites.get(row.suite_run_id or ""),
        )
        for row in rows
    ]


def result_detail(session: Session, row: GateResult) -> ResultDetail:
    plain = results_out(session, [row])[0].model_dump()
    return ResultDetail(**plain, **{name: row.body[name] for name in ("results", "checks", "flags", "notes")})


def _references(session: Session, ids: set[str]) -> dict[str, BaselineRef]:
    query = select(Baseline.id, Baseline.name, Baseline.version).where(col(Baseline.id).in_(ids))
    return {key: BaselineRef(id=key, name=name, version=version) for key, name, version in session.exec(query)}


def _columns(row: GateResult) -> dict[str, Any]:
    moment = {"created_at": iso(row.created_at), "green": row.verdict.is_green}
    return {name: getattr(row, name) for name in _COLUMNS} | moment
