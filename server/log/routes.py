"""The log of an experiment over REST: as values, or as a document for a repository."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from server import etags
from server.house import HouseDep
from server.log.markdown import to_markdown
from server.log.out import LogOut
from server.log.read import MOST_GROUPS, read_log

router = APIRouter(tags=["experiments"])

_MARKDOWN = "text/markdown; charset=utf-8"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "As values, or with format=markdown as a document",
        "content": {"text/markdown": {"schema": {"type": "string"}}},
    }
}
Groups = Annotated[int, Query(ge=1, le=500, description="seed groups, the newest; `left_out` says how many are older")]


@router.get("/experiments/{experiment_id}/log", response_model=LogOut, responses=_ANSWERS)
def show_log(
    request: Request,
    house: HouseDep,
    experiment_id: str,
    format: Literal["json", "markdown"] = "json",
    groups: Groups = MOST_GROUPS,
) -> Response:
    """What was expected of each seed group, what came of it, and what people concluded"""
    with house.database.reading() as session:
        log = read_log(session, house.logs, experiment_id, groups)
    if format == "json":
        return etags.answer(request, log)
    text = to_markdown(log, str(request.base_url).rstrip("/"))
    headers = {"Content-Disposition": f'attachment; filename="{file_name(log.experiment.name)}"'}
    return Response(text, headers=headers, media_type=_MARKDOWN)


def file_name(experiment: str) -> str:
    """Letters that every file system and every header can hold."""
    word = re.sub(r"[^a-z0-9]+", "-", experiment.lower()).strip("-")[:80]
    return f"{word or 'experiment'}-log.md"
