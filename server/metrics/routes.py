"""Routes of metrics: append records, read them back, list keys, export everything. Curves have a file of their own."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from dreamer_core.metrics.jsonsafe import dumps
from server import bodies
from server.house import HouseDep
from server.jobs.lease import Lease, require_lease
from server.jsonvalues import LARGEST
from server.metrics import curve_routes, export, latest
from server.metrics.append import append
from server.metrics.export_arrow import arrow_stream, need_pyarrow, parquet
from server.metrics.export_text import csv_lines, json_lines
from server.metrics.parse import MAX_BYTES, parse
from server.metrics.read import records_since, stream_state
from server.metrics.shapes import APPEND_BODY, Appended, KeyList, RecordList
from server.runs.follow import follow
from server.runs.rows import need_run

router = APIRouter(tags=["metrics"])
router.include_router(curve_routes.router)

_MOST_VALUES = 500_000  # in one list of records
_FORMATS = {
    "json": (json_lines, "application/x-ndjson", "jsonl"),
    "csv": (csv_lines, "text/csv; charset=utf-8", "csv"),
    "arrow": (arrow_stream, "application/vnd.apache.arrow.stream", "arrows"),
    "parquet": (parquet, "application/vnd.apache.parquet", "parquet"),
}
_ANY_BYTES = {"schema": {"type": "string", "format": "binary"}}

SomeKeys = Annotated[
    str | None, Query(max_length=20_000, description="only these keys, with commas between", examples=["loss,lr"])
]


async def _body(request: Request) -> bytes:
    return await bodies.read(request, MAX_BYTES, what="A batch", todo="Send it in parts.")


@router.post("/runs/{run_id}/metrics", response_model=Appended, openapi_extra={"requestBody": APPEND_BODY})
def append_metrics(
    house: HouseDep, run_id: str, body: Annotated[bytes, Depends(_body)], token: Lease = None
) -> Response:
    """Append records; those the run has already are skipped, so sending twice is harmless"""
    sent = parse(body)
    with house.database.writing() as session:
        require_lease(session, run_id, token)
        records = append(session, run_id, sent)
        follow(session, run_id, sent.batch, house.clock())
    house.bell.ring(run_id)
    return _json(f'{{"records":{records}}}')


@router.get("/runs/{run_id}/records", response_model=RecordList)
def list_records(
    house: HouseDep,
    run_id: str,
    first: Annotated[int, Query(alias="from", ge=0, le=LARGEST, description="number of the first record")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    keys: SomeKeys = None,
) -> Response:
    """Records as they were sent. Go on from `from` and as many as came"""
    with house.database.reading() as session:
        need_run(session, run_id)
        most = max(1, _MOST_VALUES // (1 + latest.count_keys(session, run_id)))
        total, _ = stream_state(session, run_id)
        records = records_since(session, run_id, first, min(limit, most), _split(keys))
    return _json(dumps({"from": first, "records": records, "total": total}))


@router.get("/runs/{run_id}/keys", response_model=KeyList)
def list_keys(house: HouseDep, run_id: str) -> Response:
    """The keys of a run, by name, each with its last, least and greatest value"""
    with house.database.reading() as session:
        need_run(session, run_id)
        items = latest.key_summaries(session, run_id)
    return _json(dumps({"items": items}))


@router.get(
    "/runs/{run_id}/export",
    response_class=Response,
    responses={200: {"content": {kind.partition(";")[0]: _ANY_BYTES for _, kind, _ in _FORMATS.values()}}},
)
def export_metrics(
    house: HouseDep,
    run_id: str,
    form: Annotated[Literal["json", "csv", "arrow", "parquet"], Query(alias="format")] = "json",
    keys: SomeKeys = None,
) -> Response:
    """All records that the run has when the export begins, exactly: lines of JSON, CSV, an Arrow stream or Parquet"""
    if form in ("arrow", "parquet"):
        need_pyarrow()
    write, media_type, suffix = _FORMATS[form]
    with house.database.reading() as session:
        need_run(session, run_id)
        whole = export.begin(session, run_id, _split(keys))
    headers = {"Content-Disposition": f'attachment; filename="{run_id}.{suffix}"'}
    return StreamingResponse(write(whole, export.blocks(house.database, whole)), headers=headers, media_type=media_type)


def _split(keys: str | None) -> list[str] | None:
    return None if keys is None else keys.split(",")


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
