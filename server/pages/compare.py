"""Runs and seed groups side by side, against a baseline: who is ahead, by how much, and what may not be compared."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session, col, select

from dreamer_core import gates
from dreamer_core.gates import Evidence, SeedGroup
from dreamer_core.gates.baseline import Band
from dreamer_core.metrics.jsonsafe import dumps, loads
from server.errors import InvalidError
from server.gates import baselines
from server.house import HouseDep
from server.jsonvalues import Text
from server.pages import board, sides
from server.pages.sides import Kind, Side
from server.rendering import respond
from server.tables import Baseline

router = APIRouter(include_in_schema=False)

_MOST_SIDES = 8  # as many as there are colours
_MOST_KEYS = 12
_MOST_NAMES = 300
_METRICS = (*board.HERO, "Loss/world_model_loss", "Loss/value_loss", "sps")
_List = Annotated[Text, Query(max_length=2000)]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the address says. The page remembers nothing else."""

    runs: tuple[str, ...]
    groups: tuple[str, ...]
    baseline: str | None  # None: nothing was said; empty: none is wanted
    metrics: tuple[str, ...]

    @classmethod
    def read(cls, runs: str, groups: str, baseline: str | None, metrics: str) -> "Asked":
        if baseline:
            baseline = baseline.strip()
        keys = _words(metrics, ",")[:_MOST_KEYS]
        return cls(runs=_words(runs), groups=_words(groups), baseline=baseline, metrics=keys)

    @property
    def names(self) -> list[tuple[Kind, str]]:
        return [*(("group", name) for name in self.groups), *(("run", name) for name in self.runs)]

    def without(self, kind: Kind, name: str) -> str:
        """The address without one of them."""
        runs = [each for each in self.runs if (kind, each) != ("run", name)]
        groups = [each for each in self.groups if (kind, each) != ("group", name)]
        return self._url(runs, groups)

    def query(self, **more: str) -> str:
        return self._url(self.runs, self.groups, **more).removeprefix("/compare?")

    def _url(self, runs: Sequence[str], groups: Sequence[str], **more: str) -> str:
        said = {"groups": ",".join(groups), "runs": ",".join(runs), "metrics": ",".join(self.metrics), **more}
        words = {name: text for name, text in said.items() if text}
        if self.baseline is not None:
            words["baseline"] = self.baseline
        return f"/compare?{urlencode(words)}"


@router.get("/compare")
def compare(
    request: Request,
    house: HouseDep,
    runs: _List = "",
    groups: _List = "",
    baseline: Annotated[Text | None, Query(max_length=100)] = None,
    metrics: _List = "",
) -> Response:
    asked = Asked.read(runs, groups, baseline, metrics)
    with house.database.reading() as session:
        context = _context(session, asked)
    return respond(request, context | {"now": house.clock()}, page="compare/show.html")


@router.get("/compare/bands")
def bands(
    house: HouseDep,
    key: Annotated[Text, Query(max_length=120)],
    runs: _List = "",
    groups: _List = "",
    baseline: Annotated[Text | None, Query(max_length=100)] = None,
) -> Response:
    """Of one metric: the band of each side over its whole length, in the order of the page."""
    with house.database.reading() as session:
        asked = Asked.read(runs, groups, baseline, "")
        row = _baseline(session, asked)
        drawn = sides.bands(session, [sides.runs_of(session, kind, name) for kind, name in asked.names], key)
    stats = None if row is None else baselines.read(row).metrics.get(key)
    before = None if stats is None else sides.band(stats)
    return JSONResponse(loads(dumps({"baseline": _plain(before), "sides": [_plain(one) for one in drawn]})))


def _context(session: Session, asked: Asked) -> dict[str, Any]:
    row = _baseline(session, asked)
    found = None if row is None else baselines.read(row)
    shown = [sides.read_side(session, kind, name, found) for kind, name in asked.names]
    keys = list(asked.metrics) or _keys(found, shown)
    seen = Evidence(candidate=SeedGroup(runs=()), baseline=found)
    before = {} if found is None else found.metrics
    return {
        "asked": asked,
        "row": row,
        "sides": [(side, sides.values(side, keys, found), asked.without(side.kind, side.id)) for side in shown],
        "keys": keys,
        "before": {key: before[key].median for key in keys if key in before},
        "directions": {key: seen.direction(key) for key in keys},
        "charts": [(key, f"/compare/bands?{asked.query(metrics='', key=key)}") for key in keys],
        "names": _names(session),
        "threshold": None if found is None else found.threshold_pct,
        "window": None if found is None else str(found.window),
        "is_running": any(side.is_running for side in shown),
    }


def _baseline(session: Session, asked: Asked) -> Baseline | None:
    """The one that is asked for. Where nothing is said, that of the first side's family with the most seeds."""
    if len(asked.names) > _MOST_SIDES:
        raise InvalidError(f"At most {_MOST_SIDES} at once.", where="runs", todo="Take some away.")
    if asked.baseline is not None:
        return baselines.named(session, asked.baseline) if asked.baseline else None
    if not asked.names:
        return None
    family = sides.runs_of(session, *asked.names[0])[0].family
    query = select(Baseline).where(col(Baseline.retired_at).is_(None), Baseline.family == family)
    return (
        session.exec(query.order_by(col(Baseline.seeds).desc(), col(Baseline.created_at).desc())).first()
        if family
        else None
    )


def _keys(found: gates.Baseline | None, shown: Sequence[Side]) -> list[str]:
    """Those of the usual ones that anybody has; else what the baseline has."""
    known = {key for side in shown for key in side.group.keys} | set(() if found is None else found.metrics)
    usual = [key for key in _METRICS if key in known]
    return usual or sorted(known - {"train_steps", "wall_time_s"})[:_MOST_KEYS]


def _names(session: Session) -> list[str]:
    """The newest version of each baseline in use."""
    found, _ = baselines.page(session, q=None, retired=False, limit=_MOST_NAMES, cursor=None)
    return [f"{row.name}@{row.version}" for row in found]


def _plain(band: Band | None) -> dict[str, Any] | None:
    return None if band is None else {part: getattr(band, part).tolist() for part in ("steps", "low", "middle", "high")}


def _words(text: str, split: str = r"[\s,]+") -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (word.strip() for word in re.split(split, text)))))
