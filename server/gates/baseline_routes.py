"""Routes of baselines: bless, bring in, look, compare two versions, retire."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import Session

from dreamer_core import gates
from dreamer_core.gates import Blessing, Flag, Window
from dreamer_core.gates.baseline import ABS_TOL, THRESHOLD_PCT
from dreamer_core.gates.capture import NEED_CONSENT
from dreamer_core.metrics.jsonsafe import dumps, loads
from server.clock import iso
from server.errors import InvalidError
from server.gates import baselines, evidence
from server.gates.words import Slug, Version
from server.house import HouseDep
from server.jsonvalues import LARGEST, Text
from server.paging import Cursor, Limit, Page
from server.repeats import OnceDep
from server.runs.words import Hash, Id, Metric, Prose
from server.tables import Baseline, Run

router = APIRouter(tags=["baselines"])

_MOST_CONTENT = 20 * 2**20
_Step = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class WindowIn(BaseModel):
    """Records between two steps, both included, and of those the last ones."""

    model_config = ConfigDict(extra="forbid")

    env_steps_min: _Step | None = None
    env_steps_max: _Step | None = None
    last: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _is_not_empty(self) -> "WindowIn":
        low, high = self.env_steps_min, self.env_steps_max
        if low is not None and high is not None and high < low:
            raise ValueError("env_steps_max must be at least env_steps_min")
        return self


class BaselineIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "cartpole", "seed_group": "b6d81b360a56", "why": "first one that holds 475"}]
        },
    )

    name: Slug
    runs: Annotated[list[Id], Field(max_length=evidence.MOST_RUNS)] = []
    seed_group: Hash | None = Field(default=None, description="all runs of it")
    keys: Annotated[list[Metric], Field(max_length=500)] = Field(
        default=[], description="absent: the usual metrics of a training and its evaluations; of a summary all"
    )
    window: WindowIn = WindowIn()
    threshold_pct: _Share = Field(default=THRESHOLD_PCT, description="a share: 0.15 is 15 %")
    abs_tol: _Share = ABS_TOL
    who: Annotated[str, Field(max_length=120, pattern=r"^[^\x00]*$")] = ""
    why: Prose = Field(default="", description="needed to follow an earlier version")
    allow: list[Flag] = Field(
        default=[], max_length=8, description="failed, unfinished, dirty, single_seed: bless it all the same"
    )

    @model_validator(mode="after")
    def _says_which(self) -> "BaselineIn":
        if not self.runs and self.seed_group is None:
            raise ValueError("say runs or a seed_group")
        return self


class BaselineFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Slug
    content: Annotated[Text, Field(max_length=_MOST_CONTENT, description="the text of a baseline file")]
    who: Annotated[str, Field(max_length=120, pattern=r"^[^\x00]*$")] = ""
    why: Prose = ""


class RetireIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"why": "measured on the old replay"}]})

    why: Annotated[Prose, Field(min_length=1)]


class KeyOut(BaseModel):
    median: float | str
    n: int
    mad: float | str
    sd: float | str | None
    runs: list[dict[str, Any]] = Field(description="run, seed, median and n of each")


class BaselineOut(BaseModel):
    id: str
    name: str = Field(examples=["cartpole"])
    version: int = Field(examples=[3])
    created_at: str
    who: str
    why: str
    family: str | None = Field(description="null where the runs did not say, or differ")
    flags: list[str] = Field(description="what every verdict against it will say", examples=[["single_seed"]])
    seeds: int
    runs: list[str] = Field(description="runs of this server that it was made from")
    retired_at: str | None
    retired_why: str | None


class BaselineDetail(BaselineOut):
    env_steps_min: int | None
    env_steps_max: int | None
    count: int = Field(description="records that were used")
    threshold_pct: float
    abs_tol: float
    missing_keys: list[str]
    metrics: dict[str, KeyOut]
    provenance: list[dict[str, Any]] = Field(description="of each run: family, commit, testbed, checkpoint ...")


@router.post("/baselines", response_model=BaselineOut, status_code=201)
def bless(house: HouseDep, once: OnceDep, body: BaselineIn) -> JSONResponse:
    """Bless runs or a seed group as a baseline, or as the next version of one"""
    unknown = sorted(set(body.allow) - NEED_CONSENT)
    if unknown:
        raise InvalidError("Only these can be allowed: failed, unfinished, dirty, single_seed.", where="allow")
    with house.database.writing() as session:
        now = house.clock()

        def make() -> BaselineOut:
            runs = evidence.chosen(session, body.runs, body.seed_group)
            blessing = blessing_of(body, runs, now)
            row = baselines.bless(session, runs, body.keys, blessing, frozenset(body.allow), now)
            return out(session, [row])[0]

        return once.answer(session, now, body, make).response()


@router.post("/baselines/import", response_model=BaselineOut, status_code=201)
def bring_in(house: HouseDep, once: OnceDep, body: BaselineFile) -> JSONResponse:
    """Keep a baseline file, ours or the older tool's, as the first or next version of a name"""
    with house.database.writing() as session:
        now = house.clock()

        def make() -> BaselineOut:
            row = baselines.bring_in(session, body.content, name=body.name, who=body.who, why=body.why, now=now)
            return out(session, [row])[0]

        return once.answer(session, now, body, make).response()


@router.get("/baselines", response_model=Page[BaselineOut])
def list_baselines(
    house: HouseDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[Text | None, Query(max_length=80, description="part of the name")] = None,
    retired: Annotated[bool, Query(description="names that are wholly retired, in place of the others")] = False,
) -> Page[BaselineOut]:
    """The newest version of every baseline, by name"""
    with house.database.reading() as session:
        found, after = baselines.page(session, q=q, retired=retired, limit=limit, cursor=cursor)
        return Page(items=out(session, found), next=after)


@router.get("/baselines/{name}", response_model=list[BaselineOut])
def list_versions(house: HouseDep, name: Slug) -> list[BaselineOut]:
    """Every version of one name, the newest first"""
    with house.database.reading() as session:
        return out(session, baselines.versions(session, name))


@router.get("/baselines/{name}/diff")
def diff_versions(house: HouseDep, name: Slug, before: Version, after: Version = "latest") -> dict[str, Any]:
    """What changed between two versions"""
    with house.database.reading() as session:
        old, new = (baselines.read(baselines.get(session, name, version)) for version in (before, after))
        found: dict[str, Any] = loads(dumps(asdict(gates.diff(old, new))))
        return found


@router.get("/baselines/{name}/{version}", response_model=BaselineDetail)
def show_baseline(house: HouseDep, name: Slug, version: Version) -> BaselineDetail:
    """One version, with its numbers; `latest` is the newest that is not retired"""
    with house.database.reading() as session:
        return detail(session, baselines.get(session, name, version))


@router.get("/baselines/{name}/{version}/export", response_class=Response)
def export_baseline(
    house: HouseDep, name: Slug, version: Version, format: Literal["dreamgate", "seed"] = "dreamgate"
) -> Response:
    """The file: ours with curves, or the older tool's"""
    with house.database.reading() as session:
        row = baselines.get(session, name, version)
        text = row.body if format == "dreamgate" else gates.to_seed_json(baselines.read(row))
    headers = {"Content-Disposition": f'attachment; filename="{row.name}-v{row.version}.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.post("/baselines/{name}/{version}/retire", response_model=BaselineOut)
def retire_baseline(house: HouseDep, name: Slug, version: Version, body: RetireIn) -> BaselineOut:
    """No verdict asks it any more, unless it is named with its version"""
    with house.database.writing() as session:
        return out(session, [baselines.retire(session, name, version, body.why, house.clock())])[0]


@router.post("/baselines/{name}/{version}/restore", response_model=BaselineOut)
def restore_baseline(house: HouseDep, name: Slug, version: Version) -> BaselineOut:
    """Take a retired version back"""
    with house.database.writing() as session:
        return out(session, [baselines.restore(session, name, version)])[0]


def blessing_of(body: BaselineIn, runs: Sequence[Run], now: float) -> Blessing:
    source = f"seed group {body.seed_group}" if body.seed_group else ", ".join(run.id for run in runs)
    said = body.model_dump(include={"name", "who", "why", "threshold_pct", "abs_tol"})
    return Blessing(created_at=iso(now), source=source, window=Window(**body.window.model_dump()), **said)


_COLUMNS = ("id", "name", "version", "who", "why", "family", "flags", "seeds", "retired_why")


def out(session: Session, rows: list[Baseline]) -> list[BaselineOut]:
    session.flush()
    runs = baselines.runs_of(session, [row.id for row in rows])
    return [BaselineOut(**_columns(row), runs=runs[row.id]) for row in rows]


def detail(session: Session, row: Baseline) -> BaselineDetail:
    found, runs = baselines.read(row), baselines.runs_of(session, [row.id])
    tree = loads(row.body)
    own = tree.get("dreamgate", {})
    metrics = {
        key: KeyOut(
            runs=[{"run": one.run, "seed": one.seed, "median": one.median, "n": one.n} for one in stats.runs],
            **{name: getattr(stats, name) for name in ("median", "n", "mad", "sd")},
        )
        for key, stats in found.metrics.items()
    }
    used = ("env_steps_min", "env_steps_max", "count", "threshold_pct", "abs_tol")
    return BaselineDetail(
        **_columns(row),
        **{name: getattr(found, name) for name in used},
        runs=runs[row.id],
        missing_keys=list(found.missing_keys),
        metrics=metrics,
        provenance=own.get("runs", []),
    )


def _columns(row: Baseline) -> dict[str, Any]:
    moments = {"created_at": iso(row.created_at), "retired_at": iso(row.retired_at)}
    return {name: getattr(row, name) for name in _COLUMNS} | moments
