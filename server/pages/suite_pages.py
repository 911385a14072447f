"""Suites: the gate matrix, one suite with its history, and one run of it while it goes on."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlmodel import Session, col, select

from server.errors import ApiError
from server.gates.words import Number, Slug
from server.house import House, HouseDep
from server.jsonvalues import Text
from server.pages import board
from server.pages.matrix import read_matrix
from server.pages.sent_form import SentForm
from server.pages.trends import trends
from server.rendering import respond, wants_json
from server.runs.out import RunOut, runs_out
from server.runs.rows import LEAN
from server.suites import applied, runs
from server.suites.out import SuiteRunDetail, suite_run_detail, suites_out
from server.suites.start import Asked, start
from server.suites.suite_routes import StartIn
from server.tables import Run

router = APIRouter(include_in_schema=False)

_MOST_RUNS = 50
_FIELDS = ("commit", "branch", "who", "widen", "reuse")


@router.get("/suites")
def show_matrix(request: Request, house: HouseDep, branch: Annotated[Text, Query(max_length=120)] = "") -> Response:
    if wants_json(request):  # what a page shows of all suites at once has another shape
        return RedirectResponse("/api/v1/suites", 307)
    with house.database.reading() as session:
        matrix = read_matrix(session, branch or None)
    context = {"matrix": matrix, "branch": branch, "now": house.clock()}
    return respond(request, context, page="suites/matrix.html", fragment="suites/_matrix.html")


@router.get("/suites/{name}")
def show_suite(
    request: Request, house: HouseDep, name: Slug, version: Annotated[Number | None, Query()] = None
) -> Response:
    return _suite_page(request, house, name, version, dict.fromkeys(_FIELDS, ""), {})


@router.post("/suites/{name}/runs")
def run_now(request: Request, house: HouseDep, name: Slug, sent: SentForm) -> Response:
    typed = {field: sent.get(field, "").strip() for field in _FIELDS}
    given = {field: text for field, text in typed.items() if text}
    try:
        said = StartIn.model_validate({**given, "trigger": "page"})
        asked = Asked(**said.model_dump())
        with house.database.writing() as session:
            row = applied.get_row(session, name)
            run, news = start(session, row, asked, house.clock(), house.settings.lease_s)
            where = f"/suite-runs/{run.id}"
    except ValidationError as error:
        return _suite_page(request, house, name, None, typed, _problems(error))
    except ApiError as error:
        return _suite_page(request, house, name, None, typed, {"form": error.message})
    news.tell(house)
    return RedirectResponse(where, 303)


@router.get("/suite-runs/{suite_run_id}")
def show_suite_run(request: Request, house: HouseDep, suite_run_id: str) -> Response:
    with house.database.reading() as session:
        run = suite_run_detail(session, runs.get(session, suite_run_id))
        jobs = _jobs(session, run)
    context = {"run": run, "jobs": jobs, "score": board.HERO[0], "now": house.clock()}
    return respond(request, context, page="suites/run.html", fragment="suites/_run.html", resource=run)


def _suite_page(
    request: Request, house: House, name: str, version: int | None, typed: dict[str, str], problems: dict[str, str]
) -> Response:
    """`problems`: why it was not started, field by field."""
    with house.database.reading() as session:
        context = _suite(session, name, version)
    context |= {"typed": typed, "problems": problems, "now": house.clock()}
    status = 422 if problems else 200
    return respond(request, context, page="suites/show.html", resource=context["suite"], status=status)


def _suite(session: Session, name: str, version: int | None) -> dict[str, Any]:
    suite = suites_out(session, [applied.get_row(session, name, version)])[0]
    history, more = runs.page(session, suite=name, limit=_MOST_RUNS)
    judged = [run for run in history if run.verdict is not None and run.state == "finished"]
    return {
        "suite": suite,
        "history": history,
        "more": more,
        "green": sum(run.verdict is not None and run.verdict.is_green for run in judged),
        "judged": len(judged),
        "trends": trends(session, judged),
    }


def _jobs(session: Session, run: SuiteRunDetail) -> dict[str, RunOut]:
    """How far each is, and the score that it has."""
    ids = [step.run_id for scenario in run.scenarios for step in scenario.runs]
    found = session.exec(select(Run).where(col(Run.id).in_(ids)).options(*LEAN)).all()
    return {one.id: one for one in runs_out(session, found, metrics=[board.HERO[0]])}


def _problems(error: ValidationError) -> dict[str, str]:
    found = {str(each["loc"][0]): str(each["msg"]) for each in reversed(error.errors())}
    if "commit" in found:
        found["commit"] = "A commit is 7 to 40 hexadecimal digits."
    if "widen" in found:
        found["widen"] = "This is a whole number from 0 to 20."
    return found
