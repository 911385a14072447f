"""An event as the API and the streams show it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from server.clock import iso
from server.tables import Event

EXAMPLE: dict[str, Any] = {
    "kind": "checkpoint",
    "env_steps": 2000,
    "train_steps": 976,
    "message": "saved",
    "at": "2026-11-21T10:15:02.345+00:00",
}


class EventOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": 45, "run_id": "k3x9c2m5q7dw", "origin": "core", **EXAMPLE, "facts": {"path": "last"}}]
        }
    )

    id: int
    run_id: str
    origin: str = Field(description="core: the run itself; server; or user")
    kind: str
    message: str
    env_steps: int | None
    train_steps: int | None
    facts: dict[str, Any] = Field(description="what else is known of it")
    at: str


def event_out(event: Event) -> EventOut:
    return EventOut.model_validate(event.model_dump() | {"at": iso(event.at)})
