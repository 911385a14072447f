"""Routes of events: a run appends its own, everybody reads."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from dreamer_core.metrics.jsonsafe import dumps
from server.house import HouseDep
from server.jobs.lease import Lease, require_lease
from server.jsonvalues import Count, Text, check
from server.live import events
from server.live.out import EXAMPLE, EventOut, event_out
from server.paging import Limit, Page
from server.runs.rows import need_run
from server.tables import Event

router = APIRouter(tags=["events"])

_MOST_FACTS = 64 * 1024
After = Annotated[int, Query(ge=0, le=events.LARGEST_ID, description="the id of the last event that is known already")]


class EventIn(BaseModel):
    """A line of events.jsonl. Keys beyond these are facts, kept as they are."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{**EXAMPLE, "path": "checkpoints/2000"}]})

    kind: Annotated[Text, Field(min_length=1, max_length=60)]
    env_steps: Count | None = None
    train_steps: Count | None = None
    message: Annotated[Text, Field(max_length=10_000)] = ""
    at: AwareDatetime | None = Field(default=None, description="when it happened; absent: now")

    @field_validator("at")
    @classmethod
    def _is_of_this_age(cls, at: AwareDatetime | None) -> AwareDatetime | None:
        if at is not None and not 1970 < at.year < 9999:
            raise ValueError("must be between 1971 and 9998")
        return at

    @model_validator(mode="after")
    def _facts_can_be_kept(self) -> "EventIn":
        check(self.model_extra)
        if len(dumps(self.model_extra)) > _MOST_FACTS:
            raise ValueError(f"the facts of an event may take {_MOST_FACTS} characters")
        return self


class EventsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offset: Count = Field(description="the number of the first of these among the run's own events, from 0")
    events: Annotated[list[EventIn], Field(max_length=1000)]


class EventsKept(BaseModel):
    events: int = Field(description="how many of its own the run has now", examples=[12])


@router.post("/runs/{run_id}/events", response_model=EventsKept)
def append_events(house: HouseDep, run_id: str, body: EventsIn, token: Lease = None) -> EventsKept:
    """Append a run's own events; those it has already are skipped, so sending twice is harmless"""
    rows = [_as_row(event) for event in body.events]
    with house.database.writing() as session:
        require_lease(session, run_id, token)
        count = events.append(session, run_id, body.offset, rows, house.clock())
    house.bell.ring(run_id)
    return EventsKept(events=count)


@router.get("/runs/{run_id}/events", response_model=Page[EventOut])
def list_run_events(house: HouseDep, run_id: str, after: After = 0, limit: Limit = 50) -> Page[EventOut]:
    """What happened to a run, oldest first"""
    with house.database.reading() as session:
        need_run(session, run_id)
        return _page(events.of_run(session, run_id, after, limit + 1), limit)


@router.get("/events", response_model=Page[EventOut])
def list_events(house: HouseDep, after: After | None = None, limit: Limit = 50) -> Page[EventOut]:
    """What happened to all runs: after an event, oldest first; without `after`, the newest first"""
    with house.database.reading() as session:
        if after is None:
            return Page(items=[event_out(event) for event in events.newest(session, limit)], next=None)
        return _page(events.of_all(session, after, limit + 1), limit)


def _as_row(event: EventIn) -> dict[str, Any]:
    given = event.model_dump(exclude={"at"})
    return given if event.at is None else {**given, "at": event.at.timestamp()}


def _page(found: list[Event], limit: int) -> Page[EventOut]:
    """One more than `limit` was asked for, to know whether there is a next page."""
    items = [event_out(event) for event in found[:limit]]
    return Page(items=items, next=str(items[-1].id) if len(found) > limit else None)
