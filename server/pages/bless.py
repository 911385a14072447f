"""Blessing a run or a seed group: what the baseline would say, what it would carry, and the consent that this takes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, col, select

from dreamer_core import gates
from dreamer_core.errors import UsageError
from dreamer_core.gates.capture import NEED_CONSENT
from server.errors import ApiError, ConflictError, InvalidError
from server.gates import baselines, evidence
from server.gates.baseline_routes import blessing_of
from server.house import House, HouseDep
from server.pages.bless_form import FIELDS, BlessForm
from server.pages.sent_form import SentForm
from server.pages.strips import metric_row, scores_first
from server.rendering import respond
from server.runs.words import Hash, Id
from server.tables import Baseline, Run

router = APIRouter(include_in_schema=False)

_MOST_NAMES = 300
_MEANING = {
    "failed": "a run in it failed",
    "unfinished": "a run in it has not ended",
    "dirty": "it ran code that is in no commit",
    "single_seed": "it is one run: an anecdote, not a distribution",
    "repeated_seed": "two runs have one seed, and are not two seeds",
    "mixed": "the runs differ in more than the seed",
    "short_window": "the window has fewer than three records",
    "non_finite": "metrics with NaN or infinity in the window are left out",
}


@router.get("/bless")
def bless_form(
    request: Request,
    house: HouseDep,
    run: Annotated[Id | None, Query()] = None,
    seed_group: Annotated[Hash | None, Query()] = None,
) -> Response:
    return _page(request, house, BlessForm(runs=run or "", seed_group=seed_group or ""), {}, status=200)


@router.post("/bless/check")
def check_form(request: Request, house: HouseDep, sent: SentForm) -> Response:
    """What it would be, and which boxes that takes. Nothing is stored."""
    form = BlessForm.read(sent)
    with house.database.reading() as session:
        context = _what(session, form, house.clock())
    return respond(request, context | {"form": form, "fields": FIELDS, "is_swapped": True}, page="baselines/_what.html")


@router.post("/bless")
def bless(request: Request, house: HouseDep, sent: SentForm) -> Response:
    form = BlessForm.read(sent)
    try:
        body = form.submission()
        with house.database.writing() as session:
            now = house.clock()
            runs = evidence.chosen(session, body.runs, body.seed_group)
            blessing = blessing_of(body, runs, now)
            row = baselines.bless(session, runs, body.keys, blessing, frozenset(body.allow), now)
            where = f"/baselines/{row.name}/{row.version}"
    except (ApiError, UsageError) as error:
        return _page(request, house, form, _problems(error), status=422)
    return RedirectResponse(where, 303)


def _page(request: Request, house: House, form: BlessForm, refused: dict[str, str], *, status: int) -> Response:
    with house.database.reading() as session:
        runs = _runs(session, form)
        context = {"runs": runs, "names": _names(session), **_what(session, form, house.clock())}
    context |= {"form": form, "problems": context["problems"] | refused, "now": house.clock(), "is_swapped": False}
    return respond(request, context, page="baselines/bless.html", status=status)


def _runs(session: Session, form: BlessForm) -> list[Run]:
    """By seed. Whoever asks for none has followed no link of ours."""
    ids = [run for run in form.runs.split(",") if run]
    if not ids and not form.seed_group:
        raise InvalidError("Say what to bless: a run or a seed group.", where="run", todo="Open one, and press Bless.")
    found = evidence.chosen(session, ids, form.seed_group or None)
    return sorted(found, key=lambda run: (run.seed is None, run.seed or 0, run.id))


def _what(session: Session, form: BlessForm, now: float) -> dict[str, Any]:
    """The baseline as it would be, or why there would be none. A name is not needed to look at the numbers."""
    named = form if form.name else BlessForm(**{**vars(form), "name": "unnamed"})
    try:
        body = named.submission()
        runs = evidence.chosen(session, body.runs, body.seed_group)
        group = evidence.group_of(session, runs)
        made = gates.capture(group, body.keys or baselines.default_keys(group), blessing_of(body, runs, now))
    except (ApiError, UsageError) as error:
        return {"made": None, "flags": [], "rows": [], "before": None, "problems": _problems(error)}
    flags = [(flag, flag in NEED_CONSENT, _MEANING[flag]) for flag in sorted(made.flags)]
    rows = [metric_row(key, made.metrics[key]) for key in scores_first(made.metrics)]
    return {"made": made, "flags": flags, "rows": rows, "before": _before(session, form.name), "problems": {}}


def _before(session: Session, name: str) -> Baseline | None:
    """The version that this one would follow."""
    query = select(Baseline).where(Baseline.name == name).order_by(col(Baseline.version).desc())
    return session.exec(query).first() if name else None


def _names(session: Session) -> list[str]:
    return list(session.exec(select(Baseline.name).distinct().order_by(Baseline.name).limit(_MOST_NAMES)))


def _problems(error: Exception) -> dict[str, str]:
    """At the field that it is about, or at the form as a whole."""
    words = error.message if isinstance(error, ApiError) else str(error)
    where = (error.where if isinstance(error, InvalidError | ConflictError) else None) or "form"
    if where == "name" and "say why" in words:
        where = "why"
    return {where if where in FIELDS else "form": words}
