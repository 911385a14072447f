"""Gates: the list, and one gate with its versions, its checks as sentences, and what it came to lately.

Gates of different suites may have one name, and are different gates.
"""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session, col, select

from server.clock import iso
from server.errors import NotFoundError
from server.gates import definitions, results
from server.gates.gate_routes import GateOut, built_in, gate_out, results_out
from server.gates.words import Number, Slug
from server.house import HouseDep
from server.pages.check_words import sentences
from server.pages.newest_results import newest_of_gates
from server.paging import Cursor, Page
from server.rendering import respond
from server.suites import applied
from server.tables import Gate, Suite

router = APIRouter(include_in_schema=False)

_PAGE = 100
_MOST_RESULTS = 30


class Kept(NamedTuple):
    gate: GateOut
    suite: str | None = None  # that it stands in; None: it is kept by itself, or built in

    @property
    def judges_everywhere(self) -> bool:
        return self.gate.name == definitions.COMPARE.name


@router.get("/gates")
def list_gates(request: Request, house: HouseDep, cursor: Cursor = None) -> Response:
    """The one that is built in stands first, then those of suites."""
    with house.database.reading() as session:
        found, after = definitions.page(session, limit=_PAGE, cursor=cursor)
        items = [gate_out(row) for row in found]
        alone = [Kept(gate) for gate in items]
        shown = alone if cursor else [Kept(built_in()), *_of_suites(session), *alone]
        latest = newest_of_gates(session, {kept.gate.name for kept in shown})
    context = {
        "gates": [(kept, sentences(kept.gate.checks), latest.of(kept.gate.name, kept.suite)) for kept in shown],
        "more": after,
        "now": house.clock(),
    }
    return respond(request, context, page="gates/list.html", resource=Page[GateOut](items=items, next=after))


@router.get("/gates/{name}")
def show_gate(
    request: Request,
    house: HouseDep,
    name: Slug,
    version: Annotated[Number | None, Query()] = None,
    suite: Annotated[Slug | None, Query()] = None,
) -> Response:
    with house.database.reading() as session:
        kept, versions = _gate(session, name, version, suite)
        of_suite = None if kept.judges_everywhere else kept.suite or ""
        found, _ = results.page(session, gate=name, suite=of_suite, limit=_MOST_RESULTS, cursor=None)
        shown = results_out(session, found)
    context = {
        "gate": kept.gate,
        "kept": kept,
        "versions": versions,
        "sentences": sentences(kept.gate.checks),
        "shown": shown,
        "of_baseline": False,
        "now": house.clock(),
    }
    return respond(request, context, page="gates/show.html", resource=kept.gate)


def _gate(session: Session, name: str, version: int | None, suite: str | None) -> tuple[Kept, list[Kept]]:
    """And every one that it could be taken for: the newest version first, or those of all suites."""
    if name == definitions.COMPARE.name:
        return Kept(built_in()), [Kept(built_in())]
    rows = session.exec(select(Gate).where(Gate.name == name).order_by(col(Gate.version).desc()))
    known = [Kept(gate_out(row)) for row in rows] if suite is None else []
    known = known or [kept for kept in _of_suites(session) if kept.gate.name == name]
    fits = [kept for kept in known if version in (None, kept.gate.version) and suite in (None, kept.suite)]
    fits = fits or _of_a_result(session, name, suite, version)
    if not fits:
        raise NotFoundError.of("gate", name if version is None else f"{name} v{version}")
    return fits[0], known or fits


def _of_suites(session: Session) -> list[Kept]:
    """Those that stand in a suite's own file."""
    return [
        Kept(
            GateOut(
                name=gate["name"],
                version=gate.get("version", 1),
                created_at=iso(row.created_at),
                source=f"suite {row.name}",
                checks=gate["checks"],
                directions=gate.get("directions", {}),
            ),
            row.name,
        )
        for row in session.exec(applied.newest().order_by(col(Suite.name)))
        for gate in row.body.get("gates", ())
    ]


def _of_a_result(session: Session, name: str, suite: str | None, version: int | None) -> list[Kept]:
    """As it was when it was asked last: so it stands in no file any more."""
    found, _ = results.page(session, gate=name, suite=suite, version=version, limit=1, cursor=None)
    suites = results.suites_of(session, found)
    return [
        Kept(
            GateOut(
                name=name,
                version=row.gate_version,
                created_at=None,
                source="a result, as it was then",
                checks=row.body["checks"],
                directions={},
            ),
            suites.get(row.suite_run_id or "", suite),
        )
        for row in found
    ]
