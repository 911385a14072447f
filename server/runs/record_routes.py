"""Routes for the worker that does a run: its manifest, and taking back what a checkpoint had not seen."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict

from dreamer_core.metrics.jsonsafe import dumps
from server.house import HouseDep
from server.jobs.lease import Lease, require_lease
from server.jsonvalues import Count, JsonObject
from server.live import events
from server.metrics.read import stream_state
from server.metrics.rewind import rewind
from server.runs import manifests
from server.runs.rows import get_run, hold_run, touch

router = APIRouter(tags=["runs"])

_MOST_MANIFEST = 2 * 2**20
_MANIFEST: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "As the run wrote it; null where there is none yet",
        "content": {"application/json": {"schema": {"type": ["object", "null"]}}},
    }
}


def _not_too_long(manifest: dict[str, Any]) -> dict[str, Any]:
    if len(dumps(manifest)) > _MOST_MANIFEST:
        raise ValueError(f"a manifest may take {_MOST_MANIFEST} characters as JSON")
    return manifest


class RewindIn(BaseModel):
    """How many of each are left; where there are no more, nothing happens."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"records": 16, "events": 4}]})

    records: Count
    events: Count


class Rewound(BaseModel):
    """How many of each there are now."""

    records: int
    events: int


@router.get("/runs/{run_id}/manifest", responses=_MANIFEST)
def show_manifest(house: HouseDep, run_id: str) -> JSONResponse:
    """What ran where: code, packages, device, and how it ended"""
    with house.database.reading() as session:
        return JSONResponse(get_run(session, run_id).manifest)


@router.put("/runs/{run_id}/manifest", status_code=204)
def put_manifest(
    house: HouseDep, run_id: str, body: Annotated[JsonObject, AfterValidator(_not_too_long)], token: Lease = None
) -> Response:
    """Replace the manifest; while a job runs, only its worker may"""
    with house.database.writing() as session:
        require_lease(session, run_id, token)
        touch(
            session,
            hold_run(session, run_id),
            house.clock(),
            manifest=body,
            source_commit=manifests.source_commit(body),
        )
    house.bell.ring(run_id)
    return Response(status_code=204)


@router.post("/runs/{run_id}/rewind", response_model=Rewound)
def rewind_run(house: HouseDep, run_id: str, body: RewindIn, token: Lease = None) -> Rewound:
    """Take back what comes after a checkpoint: a resumed run writes it again"""
    with house.database.writing() as session:
        require_lease(session, run_id, token)
        rewind(session, run_id, body.records)
        events.cut_core_events(session, run_id, body.events)
        left = Rewound(records=stream_state(session, run_id)[0], events=events.count_core(session, run_id))
    house.bell.ring(run_id)
    return left
