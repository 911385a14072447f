"""A baseline's page: what it scored, where that came from, what changed since another version; retiring it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlmodel import Session

from dreamer_core import gates
from dreamer_core.metrics.jsonsafe import dumps, loads
from server.compare.bands import level_over
from server.errors import NotFoundError
from server.gates import baselines, results
from server.gates.baseline_routes import detail, out
from server.gates.gate_routes import results_out
from server.gates.words import Slug, Version
from server.house import HouseDep
from server.jsonvalues import Text
from server.pages.sent_form import SentForm
from server.pages.strips import metric_row, scores_first
from server.rendering import respond
from server.runs.words import LONGEST_PROSE
from server.tables import Baseline

router = APIRouter(include_in_schema=False)

_MOST_RESULTS = 20


@router.get("/baselines/{name}")
def show_newest(request: Request, house: HouseDep, name: Slug) -> Response:
    """The newest that is not retired, or else the newest."""
    with house.database.reading() as session:
        versions = baselines.versions(session, name)
    alive = [row for row in versions if row.retired_at is None] or versions
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/baselines/{name}/{alive[0].version}{query}", 303)


@router.get("/baselines/{name}/{version}")
def show_baseline(
    request: Request,
    house: HouseDep,
    name: Slug,
    version: Version,
    key: Annotated[Text, Query(max_length=120)] = "",
    before: Annotated[str, Query(max_length=9, pattern="^[0-9]*$")] = "",
) -> Response:
    with house.database.reading() as session:
        context = _context(session, baselines.get(session, name, version), key, before)
    context |= {"problem": "", "now": house.clock()}
    return respond(request, context, page="baselines/show.html", resource=context["baseline"])


@router.get("/baselines/{name}/{version}/curve")
def band(house: HouseDep, name: Slug, version: Version, key: Annotated[Text, Query(max_length=120)]) -> Response:
    """What a chart draws of one metric: every seed's curve, and the band over all of them."""
    with house.database.reading() as session:
        row = baselines.get(session, name, version)
    stats = baselines.read(row).metrics.get(key)
    if stats is None:
        raise NotFoundError.of("metric", key)
    curves = [{"steps": curve.steps.tolist(), "values": curve.values.tolist()} for curve in stats.curves]
    parts = ("steps", "low", "middle", "high")
    shape = stats.band or level_over(stats.curves)
    lines = None if shape is None else {part: getattr(shape, part).tolist() for part in parts}
    return JSONResponse(loads(dumps({"median": stats.median, "band": lines, "curves": curves})))


@router.post("/baselines/{name}/{version}/retire")
def retire(request: Request, house: HouseDep, name: Slug, version: Version, sent: SentForm) -> Response:
    why = sent.get("why", "").strip()[:LONGEST_PROSE].replace("\x00", "")
    if not why:
        with house.database.reading() as session:
            context = _context(session, baselines.get(session, name, version), "", "")
        context |= {"problem": "Say why: whoever looks for it later will ask.", "now": house.clock()}
        return respond(request, context, page="baselines/show.html", status=422)
    with house.database.writing() as session:
        row = baselines.retire(session, name, version, why, house.clock())
        where = f"/baselines/{row.name}/{row.version}"
    return RedirectResponse(where, 303)


@router.post("/baselines/{name}/{version}/restore")
def restore(house: HouseDep, name: Slug, version: Version) -> Response:
    with house.database.writing() as session:
        row = baselines.restore(session, name, version)
        where = f"/baselines/{row.name}/{row.version}"
    return RedirectResponse(where, 303)


def _context(session: Session, row: Baseline, key: str, before: str) -> dict[str, Any]:
    shown, found = detail(session, row), baselines.read(row)
    drawn = [name for name, stats in found.metrics.items() if stats.curves]
    versions = baselines.versions(session, row.name)
    judged, _ = results.page(session, baseline=row.id, limit=_MOST_RESULTS, cursor=None)
    older = next((one for one in versions if str(one.version) == before and one.version != row.version), None)
    return {
        "baseline": shown,
        "metrics": [metric_row(name, found.metrics[name]) for name in scores_first(found.metrics)],
        "drawn": drawn,
        "key": key if key in drawn else next(iter(drawn), ""),
        "asked": str(found.asked),
        "input_kind": found.input_kind,
        "facts": _facts(found),
        "testbed": found.runs[0].facts.testbed if found.runs else {},
        "versions": out(session, versions),
        "difference": None if older is None else gates.diff(baselines.read(older), found),
        "before": "" if older is None else str(older.version),
        "results": results_out(session, judged),
    }


def _facts(found: gates.Baseline) -> list[tuple[str, list[str]]]:
    """What the runs say about themselves: one value where they agree, else all of them."""
    names = ("preset", "recipe", "env", "mode", "family", "fingerprint", "commit", "checkpoint_sha256")
    told = [(name, [str(value) for run in found.runs if (value := getattr(run.facts, name))]) for name in names]
    return [(name.replace("_", " "), list(dict.fromkeys(values))) for name, values in told if values]
