"""Gates: the list, and one gate with its versions, its checks as sentences, and what it came to lately."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session, col, select

from server.clock import iso
from server.errors import NotFoundError
from server.gates import definitions, results
from server.gates.gate_routes import GateOut, built_in, gate_out, results_out
from server.gates.words import Number, Slug
from server.house import HouseDep
from server.pages.check_words import sentences
from server.pages.newest_results import newest
from server.paging import Cursor, Page
from server.rendering import respond
from server.suites import applied
from server.tables import Gate, GateResult, Suite

router = APIRouter(include_in_schema=False)

_PAGE = 100
_MOST_RESULTS = 30


@router.get("/gates")
def list_gates(request: Request, house: HouseDep, cursor: Cursor = None) -> Response:
    """The one that is built in stands first, then those of suites."""
    with house.database.reading() as session:
        found, after = definitions.page(session, limit=_PAGE, cursor=cursor)
        items = [gate_out(row) for row in found]
        shown = items if cursor else [built_in(), *_of_suites(session), *items]
        latest = newest(session, GateResult.gate, [gate.name for gate in shown], 1)
    context = {
        "gates": [(gate, sentences(gate.checks)) for gate in shown],
        "latest": latest,
        "more": after,
        "now": house.clock(),
    }
    return respond(request, context, page="gates/list.html", resource=Page[GateOut](items=items, next=after))


@router.get("/gates/{name}")
def show_gate(
    request: Request, house: HouseDep, name: Slug, version: Annotated[Number | None, Query()] = None
) -> Response:
    with house.database.reading() as session:
        gate, versions = _gate(session, name, version)
        found, _ = results.page(session, gate=name, limit=_MOST_RESULTS, cursor=None)
        shown = results_out(session, found)
    context = {
        "gate": gate,
        "versions": versions,
        "sentences": sentences(gate.checks),
        "shown": shown,
        "of_baseline": False,
        "now": house.clock(),
    }
    return respond(request, context, page="gates/show.html", resource=gate)


def _gate(session: Session, name: str, version: int | None) -> tuple[GateOut, list[GateOut]]:
    """And every version of it, the newest first."""
    if name == definitions.COMPARE.name:
        return built_in(), [built_in()]
    rows = session.exec(select(Gate).where(Gate.name == name).order_by(col(Gate.version).desc()))
    known = [gate_out(row) for row in rows]
    known = known or [gate for gate in _of_suites(session) if gate.name == name] or _of_a_result(session, name)
    fits = [gate for gate in known if version in (None, gate.version)]
    if not fits:
        raise NotFoundError.of("gate", name if version is None else f"{name} v{version}")
    return fits[0], known


def _of_suites(session: Session) -> list[GateOut]:
    """Those that stand in a suite's own file."""
    return [
        GateOut(
            name=gate["name"],
            version=gate.get("version", 1),
            created_at=iso(row.created_at),
            source=f"suite {row.name}",
            checks=gate["checks"],
            directions=gate.get("directions", {}),
        )
        for row in session.exec(applied.newest().order_by(col(Suite.name)))
        for gate in row.body.get("gates", ())
    ]


def _of_a_result(session: Session, name: str) -> list[GateOut]:
    """As it was when it was asked last: it stands in no file any more."""
    found, _ = results.page(session, gate=name, limit=1, cursor=None)
    return [
        GateOut(
            name=name,
            version=row.gate_version,
            created_at=None,
            source="a result, as it was then",
            checks=row.body["checks"],
            directions={},
        )
        for row in found
    ]
