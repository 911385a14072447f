"""Routes of logs: a worker appends bytes, everybody reads the end, a part, or all of it."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from server import bodies
from server.errors import InvalidError
from server.files import logs, parts
from server.files.ranges import Span
from server.house import House, HouseDep
from server.jobs.lease import Lease, require_lease
from server.jsonvalues import LARGEST
from server.runs.rows import need_run

router = APIRouter(tags=["logs"])

_MOST = 2**20  # bytes in one request, either way
_MEDIA_TYPE = "text/plain; charset=utf-8"


async def _body(request: Request) -> bytes:
    return await bodies.read(request, _MOST, what="A piece of a log", todo="Send it in pieces.")


class LogKept(BaseModel):
    bytes: int = Field(description="how long the log is now", examples=[8811])


Byte = Annotated[int, Query(ge=0, le=LARGEST)]


@router.post("/runs/{run_id}/log", response_model=LogKept, openapi_extra={"requestBody": parts.RAW_BODY})
def append_log(
    house: HouseDep,
    run_id: str,
    offset: Byte,
    body: Annotated[bytes, Depends(_body)],
    token: Lease = None,
) -> LogKept:
    """Append bytes to a run's log; those it has already are skipped, so sending twice is harmless"""
    with house.database.writing() as session:
        require_lease(session, run_id, token)
        size = logs.append(session, run_id, offset, body)
    house.bell.ring(run_id)
    return LogKept(bytes=size)


@router.get(
    "/runs/{run_id}/log",
    response_class=Response,
    responses={200: {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}}, **parts.RESPONSES},
)
def read_log(
    house: HouseDep,
    run_id: str,
    tail: Annotated[int | None, Query(ge=1, le=10_000, description="the last lines; 200 if nothing is asked")] = None,
    start: Annotated[Byte | None, Query(description="the first byte of a part")] = None,
    length: Annotated[int, Query(ge=1, le=_MOST, description="how many bytes from `start` on")] = 64 * 1024,
    asked: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
) -> Response:
    """The end of a run's log, a part of it as text, or by Range any of its bytes just as they are"""
    if tail is not None and start is not None:
        raise InvalidError("Ask for the tail or for a part from `start`, not for both.", where="tail", seen=tail)
    with house.database.reading() as session:
        need_run(session, run_id)
        size = logs.size_of(session, run_id)
        if asked is None:
            return _text(session, run_id, size, start=start, length=length, tail=tail or 200)
    return parts.answer(asked, size, _MEDIA_TYPE, _headers(0, size), lambda span: _bytes(house, run_id, span))


def _text(session: Session, run_id: str, size: int, *, start: int | None, length: int, tail: int) -> Response:
    if start is None:
        start = logs.tail_start(session, run_id, tail)
        length = size - start
    start = min(start, size)  # who reads on from where nothing is yet must not miss what comes before that
    text, end = logs.read_text(session, run_id, start, length)
    return Response(text, 200, _headers(start, size) | {"X-Log-End": str(end)}, _MEDIA_TYPE)


def _headers(start: int, size: int) -> dict[str, str]:
    return {"X-Log-Start": str(start), "X-Log-Size": str(size)}


def _bytes(house: House, run_id: str, span: Span) -> Iterator[bytes]:
    for piece in parts.pieces(span):
        with house.database.reading() as session:
            yield logs.read(session, run_id, piece.start, piece.length)
