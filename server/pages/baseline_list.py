"""The list of baselines: what each is made of, who blessed it and why, and what was last judged by it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from server.gates import baselines
from server.gates.baseline_routes import BaselineOut, out
from server.house import HouseDep
from server.jsonvalues import Text
from server.pages.newest_results import newest
from server.paging import Cursor, Page
from server.rendering import respond
from server.tables import GateResult

router = APIRouter(include_in_schema=False)

_PAGE = 100
_LAST = 8  # verdicts shown of each


@router.get("/baselines")
def list_baselines(
    request: Request,
    house: HouseDep,
    q: Annotated[Text, Query(max_length=80)] = "",
    retired: bool = False,
    cursor: Cursor = None,
) -> Response:
    with house.database.reading() as session:
        found, after = baselines.page(session, q=q or None, retired=retired, limit=_PAGE, cursor=cursor)
        items = out(session, found)
        verdicts = newest(session, GateResult.baseline_id, [row.id for row in found], _LAST)
    resource = Page[BaselineOut](items=items, next=after)
    context = {
        "baselines": items,
        "verdicts": verdicts,
        "q": q,
        "retired": retired,
        "more": after,
        "now": house.clock(),
    }
    return respond(request, context, page="baselines/list.html", fragment="baselines/_table.html", resource=resource)
