"""The list of runs: a page, its table alone, some of its rows, or what the API answers."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, col, select

from server.house import HouseDep
from server.pages import choices, seed_groups
from server.pages.list_address import DEFAULT_METRICS, DEFAULT_SORT, ListAddress
from server.paging import Page
from server.rendering import respond, wants_fragment
from server.runs import order
from server.runs.out import RunOut, runs_out
from server.runs.rows import LEAN, is_id
from server.runs.search import conditions
from server.tables import Run, RunState

router = APIRouter(include_in_schema=False)

_PAGE = 50
_MOST_ROWS = 100


@router.get("/")
def first_page() -> Response:
    return RedirectResponse("/runs", 303)


@router.get("/runs")
def list_runs(request: Request, house: HouseDep) -> Response:
    address = ListAddress.read(request.query_params)
    with house.database.reading() as session:
        resource = _find(session, address)
        context = _table(session, address, resource, house.clock())
        if not wants_fragment(request):
            context |= _filters(session)
    fragment = "runs/_rows.html" if address.cursor else "runs/_table.html"
    return respond(request, context, page="runs/list.html", fragment=fragment, resource=resource)


@router.get("/runs/rows")
def some_rows(request: Request, house: HouseDep, ids: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """Rows that are on a page already, as they are now. Those that are gone are left out."""
    address = ListAddress.read(request.query_params)
    wanted = [run_id for run_id in ids.split(",")[:_MOST_ROWS] if is_id(run_id)]
    with house.database.reading() as session:
        found = list(session.exec(select(Run).where(col(Run.id).in_(wanted)).options(*LEAN)))
        runs = runs_out(session, found, metrics=address.metrics)
    context = {"address": address, "groups": seed_groups.ungrouped(runs), "more": None, "now": house.clock()}
    return respond(request, context, page="runs/_rows.html")


def _find(session: Session, address: ListAddress) -> Page[RunOut]:
    query = address.query()
    found, more = order.page(session, conditions(query), sort=query.sort, limit=_PAGE, cursor=query.cursor)
    return Page[RunOut](items=runs_out(session, found, metrics=address.metrics), next=more)


def _table(session: Session, address: ListAddress, found: Page[RunOut], now: float) -> dict[str, Any]:
    runs: list[RunOut] = found.items
    groups = seed_groups.grouped(session, runs, address.metrics) if address.by_seeds else seed_groups.ungrouped(runs)
    return {
        "address": address,
        "runs": runs,
        "groups": groups,
        "more": found.next,
        "default_sort": DEFAULT_SORT,
        "now": now,
    }


def _filters(session: Session) -> Mapping[str, Any]:
    return {
        "states": list(RunState),
        "default_metrics": DEFAULT_METRICS,
        "experiments": choices.experiment_names(session),
        "tags": choices.tag_names(session),
        "metric_names": choices.metric_names(session),
    }
