"""What gates came to, the newest first: a page, its table alone, or what the API answers."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import col, select

from dreamer_core.gates import Verdict
from server.gates import results
from server.gates.gate_routes import ResultOut, results_out
from server.house import HouseDep
from server.jsonvalues import Text
from server.paging import Cursor, Page
from server.rendering import respond
from server.tables import Gate

router = APIRouter(include_in_schema=False)

_PAGE = 50


@router.get("/gate-results")
def list_results(
    request: Request,
    house: HouseDep,
    gate: Annotated[Text, Query(max_length=80)] = "",
    verdict: Annotated[Text, Query(max_length=20)] = "",
    run: Annotated[Text, Query(max_length=12)] = "",
    cursor: Cursor = None,
) -> Response:
    """A verdict that there is not is no filter, so that an old link still opens."""
    wanted = Verdict(verdict) if verdict in set(Verdict) else None
    with house.database.reading() as session:
        found, after = results.page(
            session, gate=gate or None, verdict=wanted, run=run or None, limit=_PAGE, cursor=cursor
        )
        items = results_out(session, found)
        names = list(session.exec(select(Gate.name).distinct().order_by(col(Gate.name))))
    context = {
        "shown": items,
        "of_baseline": False,
        "more": after,
        "gate": gate,
        "verdict": wanted or "",
        "run": run,
        "gates": ["compare", *names],
        "verdicts": list(Verdict),
        "now": house.clock(),
    }
    resource = Page[ResultOut](items=items, next=after)
    page, fragment = "gates/results.html", "gates/_result_list.html"
    return respond(request, context, page=page, fragment=fragment, resource=resource)
