"""Routes of curves: one for addresses, one for lists that are too long for an address."""

import hashlib
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from sqlmodel import Session

from dreamer_core.version import __version__
from server.errors import InvalidError
from server.house import House, HouseDep
from server.metrics import curve_json
from server.metrics.curves import Asked, read_curves
from server.metrics.read import stream_states
from server.metrics.shapes import Axis, Bound, CurveList, CurvesIn, MostBuckets
from server.runs.rows import is_id

router = APIRouter()

_MOST_RUNS, _MOST_KEYS = 100, 50
_MOST_BUCKETS = 1_000_000  # in one answer: some 40 MB


@router.get("/curves", response_model=CurveList, responses={304: {"description": "what you have is still true"}})
def get_curves(
    house: HouseDep,
    runs: Annotated[str, Query(max_length=2000, description="ids, with commas between")],
    keys: Annotated[str, Query(max_length=20_000, description="with commas between")],
    points: Annotated[MostBuckets, Query()] = 1000,
    from_step: Annotated[Bound, Query()] = None,
    to_step: Annotated[Bound, Query()] = None,
    x: Axis = "env_steps",
    known: Annotated[str | None, Header(alias="If-None-Match", max_length=1000)] = None,
) -> Response:
    """Curves of every key of every run: least, greatest and last value of each bucket, so that no spike is lost"""
    ids, names = runs.split(","), keys.split(",")
    asked = Asked(runs=ids, keys=names, points=points, x=x, low=from_step, high=to_step)
    return _answer(house, asked, known)


@router.post("/curves", response_model=CurveList)
def post_curves(house: HouseDep, body: CurvesIn) -> Response:
    """The same for lists that are too long for an address, and for keys with commas"""
    low, high = body.from_step, body.to_step
    asked = Asked(runs=body.runs, keys=body.keys, points=body.points, x=body.x, low=low, high=high)
    return _answer(house, asked, None)


def _answer(house: House, given: Asked, known: str | None) -> Response:
    asked = replace(given, runs=list(dict.fromkeys(given.runs)), keys=list(dict.fromkeys(given.keys)))
    _check_size(asked)
    with house.database.reading() as session:
        tag = _tag(session, asked)
        if known is not None and tag in known:
            return Response(status_code=304, headers={"ETag": tag})
        curves = read_curves(session, asked)
    return Response(curve_json.encode(asked, curves), media_type="application/json", headers={"ETag": tag})


def _check_size(asked: Asked) -> None:
    for what, most in (("runs", _MOST_RUNS), ("keys", _MOST_KEYS)):
        count = len(getattr(asked, what))
        if count > most:
            raise InvalidError(f"At most {most} {what} in one request.", where=what, seen=count)
    buckets = len(asked.runs) * len(asked.keys) * asked.points
    if buckets > _MOST_BUCKETS:
        message = f"These curves could have {buckets:,} buckets; one answer may have {_MOST_BUCKETS:,}."
        raise InvalidError(message, where="points", seen=asked.points, todo="Ask for fewer points, keys or runs.")


def _tag(session: Session, asked: Asked) -> str:
    """Changes with what was asked, with every append and with every rewind."""
    states = sorted(stream_states(session, [run_id for run_id in asked.runs if is_id(run_id)]).items())
    return f'"{hashlib.sha256(repr((__version__, asked, states)).encode()).hexdigest()[:32]}"'
