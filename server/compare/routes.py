"""The route of comparisons."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints

from server import etags
from server.compare.asked import MOST_KEYS, MOST_SIDES, Asked
from server.compare.comparison import all_bands, choose, compare
from server.compare.out import ComparisonOut, comparison_out
from server.errors import InvalidError
from server.house import HouseDep
from server.jsonvalues import Text

router = APIRouter(tags=["gates"])

_LONGEST = 2000
_Reference = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,79}(@[0-9]{1,8})?)?$")]


@router.get("/compare", response_model=ComparisonOut, responses={304: {"description": "what you have is still true"}})
def get_comparison(
    request: Request,
    house: HouseDep,
    runs: Annotated[Text, Query(max_length=_LONGEST, description="ids, with commas between")] = "",
    groups: Annotated[
        Text, Query(max_length=_LONGEST, description=f"seed groups; with the runs at most {MOST_SIDES}")
    ] = "",
    baseline: Annotated[
        _Reference | None,
        Query(
            description="name or name@version. Absent: of those of the first side's family, the one with the most "
            "seeds; empty: none"
        ),
    ] = None,
    metrics: Annotated[
        Text,
        Query(max_length=_LONGEST, description=f"at most {MOST_KEYS}, with commas between; absent: the usual ones"),
    ] = "",
    points: Annotated[int, Query(ge=0, le=500, description="steps of each band; 0: no bands")] = 100,
) -> Response:
    """Runs and seed groups beside a baseline: who is ahead, by how much, and what may not be compared"""
    asked = Asked.read(runs, groups, baseline, metrics)
    if not asked.sides:
        raise InvalidError("Say runs or groups.", where="runs")
    with house.database.reading() as session:
        chosen = choose(session, asked)
        found = compare(session, chosen, asked.metrics)
        drawn = all_bands(session, chosen, found.keys) if points else {}
    return etags.answer(request, comparison_out(found, drawn, points))
