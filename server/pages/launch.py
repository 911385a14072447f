"""The launch form: what it would launch, and launching it. It goes the way of `POST /jobs`, by the same service."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlmodel import Session

from dreamer_core.config.parse import dotted_items
from dreamer_core.errors import ConfigError, UsageError
from server.configs.resolve import resolve
from server.configs.routes import ValidateOut
from server.configs.seeds import seeds_of
from server.errors import ApiError, InvalidError
from server.house import House, HouseDep
from server.jobs.orders import JobIn
from server.jobs.submit import submit
from server.pages import choices, config_table, launch_choices
from server.pages.formats import setting
from server.pages.launch_form import FIELDS, LaunchForm
from server.pages.list_address import ListAddress
from server.pages.sent_form import SentForm
from server.pages.wrong_words import problems_of
from server.refusals import sentence
from server.rendering import respond
from server.runs.out import run_out
from server.runs.rows import get_run
from server.tables import Run

router = APIRouter(include_in_schema=False)


@router.get("/launch")
def launch_form(request: Request, house: HouseDep, clone: Annotated[str, Query(max_length=60)] = "") -> Response:
    with house.database.reading() as session:
        form = _clone_form(session, get_run(session, clone)) if clone else LaunchForm()
    return _page(request, house, form, {})


@router.post("/launch/check")
def check_form(request: Request, house: HouseDep, sent: SentForm, estimate: bool = False) -> Response:
    """What it would be, and what is wrong with which field. Nothing is stored."""
    checked, problems = _check(house, LaunchForm.read(sent), estimate=estimate)
    context = _check_context(checked, problems) | {"is_swapped": True}
    return respond(request, context, page="launch/_check.html")


@router.post("/launch")
def launch(request: Request, house: HouseDep, sent: SentForm) -> Response:
    form = LaunchForm.read(sent)
    order, problems = _order(form)
    if order is None or problems:
        return _page(request, house, form, problems)
    try:
        with house.database.writing() as session:
            parent = get_run(session, form.parent).id if form.parent else None
            runs, news = submit(session, order, house.clock(), house.settings.lease_s, parent_id=parent)
    except (ApiError, UsageError) as error:
        return _page(request, house, form, _problem(error))
    news.tell(house)
    where = f"/runs/{runs[0].id}" if len(runs) == 1 else ListAddress().url(seed_group=runs[0].seed_group)
    return RedirectResponse(where, 303)


def _page(request: Request, house: House, form: LaunchForm, refused: dict[str, str]) -> Response:
    """`refused`: why it was not launched, field by field; empty where nobody has tried to yet."""
    checked, problems = _check(house, form, estimate=False)
    groups = launch_choices.preset_groups()
    with house.database.reading() as session:
        offered = {
            "parent": run_out(session, get_run(session, form.parent)) if form.parent else None,
            "experiments": choices.experiment_names(session),
            "queues": choices.queue_names(session),
            "metric_names": choices.metric_names(session),
        }
    lists = {
        "presets": groups,
        "preset_names": [preset.name for group in groups for preset in group.presets],
        "keys": launch_choices.setting_keys(),
    }
    context = {"form": form, "is_swapped": False, **offered, **lists, **_check_context(checked, problems | refused)}
    return respond(request, context, page="launch/form.html", status=422 if refused else 200)


def _check(house: House, form: LaunchForm, *, estimate: bool) -> tuple[ValidateOut | None, dict[str, str]]:
    """What `POST /validate` answers; or None, and what is wrong with which field."""
    order, problems = _order(form)
    if order is None or problems:
        return None, problems
    try:
        found = resolve(order.words)
        seeds = seeds_of(order.words, order.seeds, found.seed)
    except (ApiError, UsageError) as error:
        return None, _problem(error)
    estimated, problem = house.estimates.of(found.config) if estimate else (None, None)
    return ValidateOut(**found._asdict(), seeds=seeds, estimate=estimated, estimate_problem=problem), {}


def _order(form: LaunchForm) -> tuple[JobIn | None, dict[str, str]]:
    """All that is wrong at once: whoever mends one field should not be told of the next only then."""
    said, problems = form.submission()
    order = None
    try:
        order = JobIn.model_validate(said)
    except ValidationError as error:
        problems |= {_field(str(each["loc"][0])): sentence(each) for each in reversed(error.errors())}
    if "words" not in problems:
        problems |= _wrong_words(form)
    return order, problems


def _wrong_words(form: LaunchForm) -> dict[str, str]:
    preset, *words = form.config_words()
    try:
        resolve([preset])
    except (ApiError, ConfigError) as error:
        return {"preset": str(error)}
    found = problems_of(preset, words)
    return {"words": "\n".join(found)} if found else {}


def _check_context(checked: ValidateOut | None, problems: dict[str, str]) -> dict[str, Any]:
    changes = config_table.differences(checked.config, checked.preset) if checked else []
    return {"check": checked, "changes": changes, "problems": problems, "fields": FIELDS}


def _problem(error: Exception) -> dict[str, str]:
    """At the field that it is about, or at the form as a whole."""
    if isinstance(error, ConfigError):
        return {"words": str(error)}
    where = error.where if isinstance(error, InvalidError) else None
    words = error.message if isinstance(error, ApiError) else str(error)
    return {_field(where or "form"): words}


def _field(where: str) -> str:
    return where if where in FIELDS else "form"


def _clone_form(session: Session, run: Run) -> LaunchForm:
    """The same again, to be changed: what its config says beyond its preset becomes overrides."""
    shown = run_out(session, run)
    known = config_table.is_known(run.preset)
    changes = {each.key: each.value for each in config_table.differences(run.config, run.preset)}
    words = changes if known else dotted_items(run.config)
    given = {name: getattr(run, name) or "" for name in ("name", "hypothesis", "primary_metric", "stop_rule", "commit")}
    return LaunchForm(
        **given,
        preset=run.preset if run.preset and known else LaunchForm.preset,
        words="\n".join(f"{key}={setting(value)}" for key, value in words.items() if key not in ("preset", "seed")),
        experiment=shown.experiment.name,
        seeds="" if run.seed is None else str(run.seed),
        tags=", ".join(shown.tags),
        parent=run.id,
    )
