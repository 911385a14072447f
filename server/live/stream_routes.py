"""Routes of live streams: server-sent events of a run, or of all runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from server.house import HouseDep
from server.live.readers import EverythingReader, RunReader

router = APIRouter(tags=["live streams"])

_EXAMPLE = """retry: 2000
id: m119.0-e45-l8811-v7

id: m120.0-e45-l8811-v7
event: metrics
data: {"from": 119, "records": [{"env_steps": 1200, "train_steps": 480, "eval/return_mean": 412.5}]}

"""
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}}}
}

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", max_length=2000, description="the last `id:`: go on from there")
]
Cursor = Annotated[str | None, Query(max_length=2000, description="the same, where no header can be set")]


@router.get("/runs/{run_id}/live", response_class=StreamingResponse, responses=_RESPONSES)
async def follow_run(
    house: HouseDep, run_id: str, last_event_id: LastEventId = None, cursor: Cursor = None
) -> StreamingResponse:
    """What happens to a run, as it happens: `run`, `metrics`, `event`, `log`, `rewind` and, when it is over, `end`"""
    return await house.streams.answer(house.bell, RunReader(house.database, run_id, last_event_id or cursor))


@router.get("/live", response_class=StreamingResponse, responses=_RESPONSES)
async def follow_everything(
    house: HouseDep, last_event_id: LastEventId = None, cursor: Cursor = None
) -> StreamingResponse:
    """Every run whose state changes, as an event `run`"""
    return await house.streams.answer(house.bell, EverythingReader(house.database, last_event_id or cursor))
