"""Remarks on a run. What was expected of it is fixed once it begins; what is noticed later goes here."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints

from server.house import HouseDep
from server.live.out import EventOut, event_out
from server.repeats import OnceDep
from server.runs.annotations import annotate
from server.runs.words import LONGEST_PROSE

router = APIRouter(tags=["runs"])


class AnnotationIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "The reward scale was wrong before step 2,000."}]}
    )

    text: Annotated[str, StringConstraints(max_length=LONGEST_PROSE, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]


@router.post("/runs/{run_id}/annotations", response_model=EventOut, status_code=201)
def annotate_run(house: HouseDep, once: OnceDep, run_id: str, body: AnnotationIn) -> JSONResponse:
    """Remark something, now; it is kept as an event of origin user, and never changed"""
    with house.database.writing() as session:
        now = house.clock()

        def make() -> EventOut:
            return event_out(annotate(session, run_id, body.text, now))

        answer = once.answer(session, now, body, make)
    house.bell.ring(run_id)
    return answer.response()
