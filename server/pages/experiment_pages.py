"""Experiments: the list of them, and the log of one, which is its page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from server.house import HouseDep
from server.jsonvalues import Text
from server.log import words
from server.log.read import read_log
from server.paging import Cursor
from server.rendering import respond
from server.runs import experiments

router = APIRouter(include_in_schema=False)

_PAGE = 50
_MOST_GROUPS = 60  # of a page that somebody reads; the document has more


@router.get("/experiments")
def list_experiments(
    request: Request, house: HouseDep, cursor: Cursor = None, q: Annotated[Text, Query(max_length=200)] = ""
) -> Response:
    with house.database.reading() as session:
        found, more = experiments.page(session, q=q or None, deleted=False, limit=_PAGE, cursor=cursor)
        counts = experiments.count_runs(session, [experiment.id for experiment in found])
    context = {"experiments": found, "counts": counts, "more": more, "q": q, "now": house.clock()}
    return respond(request, context, page="experiments/list.html")


@router.get("/experiments/{experiment_id}")
def show_experiment(request: Request, house: HouseDep, experiment_id: str) -> Response:
    with house.database.reading() as session:
        log = read_log(session, house.logs, experiment_id, _MOST_GROUPS)
    context = {"log": log, "words": words, "now": house.clock()}
    return respond(request, context, page="experiments/show.html", resource=log)
