"""Runs and seed groups side by side, against a baseline: who is ahead, by how much, and what may not be compared."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from dreamer_core.gates.baseline import Band
from dreamer_core.metrics.jsonsafe import dumps, loads
from server.compare.asked import Asked
from server.compare.comparison import all_bands, choose, compare
from server.compare.sides import Side
from server.gates import baselines
from server.house import HouseDep
from server.jsonvalues import Text
from server.rendering import respond

router = APIRouter(include_in_schema=False)

_MOST_NAMES = 300
_List = Annotated[Text, Query(max_length=2000)]


@router.get("/compare")
def show(
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
    asked = Asked.read(runs, groups, baseline, "")
    with house.database.reading() as session:
        before, drawn = all_bands(session, choose(session, asked), [key])[key]
    return JSONResponse(loads(dumps({"baseline": _plain(before), "sides": [_plain(one) for one in drawn]})))


def _context(session: Session, asked: Asked) -> dict[str, Any]:
    found = compare(session, choose(session, asked), asked.metrics)
    return {
        "asked": asked,
        "row": found.row,
        "sides": [(side, values, _without(asked, side)) for side, values in found.sides],
        "keys": found.keys,
        "before": found.medians,
        "directions": {key: found.direction(key) for key in found.keys},
        "charts": [(key, f"/compare/bands?{_query(asked, key=key)}") for key in found.keys],
        "names": _names(session),
        "threshold": None if found.baseline is None else found.baseline.threshold_pct,
        "window": None if found.baseline is None else str(found.window),
    }


def _without(asked: Asked, side: Side) -> str:
    """The address without one of them."""
    runs = [name for name in asked.runs if ("run", name) != (side.kind, side.id)]
    groups = [name for name in asked.groups if ("group", name) != (side.kind, side.id)]
    return f"/compare?{_query(asked, runs=','.join(runs), groups=','.join(groups), metrics=','.join(asked.metrics))}"


def _query(asked: Asked, **more: str) -> str:
    said = {"groups": ",".join(asked.groups), "runs": ",".join(asked.runs)} | more
    words = {name: text for name, text in said.items() if text}
    return urlencode(words if asked.baseline is None else words | {"baseline": asked.baseline})


def _names(session: Session) -> list[str]:
    """The newest version of each baseline in use."""
    found, _ = baselines.page(session, q=None, retired=False, limit=_MOST_NAMES, cursor=None)
    return [f"{row.name}@{row.version}" for row in found]


def _plain(band: Band | None) -> dict[str, Any] | None:
    return None if band is None else {part: getattr(band, part).tolist() for part in ("steps", "low", "middle", "high")}
