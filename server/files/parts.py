"""Answering with a part of a body: what Range asks for, 206 and 416 and all, streamed piece by piece."""

from collections.abc import Callable, Iterator, Mapping

from fastapi.responses import JSONResponse, Response, StreamingResponse

from server.error_docs import ErrorOut
from server.errors import ApiError
from server.files import ranges
from server.files.ranges import Span

PIECE = 1 << 20  # read and sent at once; a body is never whole in memory

Read = Callable[[Span], Iterator[bytes]]

RAW_BODY = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    "required": True,
}
RESPONSES: Mapping[int | str, dict[str, object]] = {
    206: {"description": "The part that Range asks for"},
    416: {"model": ErrorOut, "description": "Range begins after the end; Content-Range says the size"},
}


class RangeError(ApiError):
    status, code = 416, "range_not_satisfiable"


def answer(asked: str | None, size: int, media_type: str, headers: Mapping[str, str], read: Read) -> Response:
    """`read` is called at once, so it can still refuse; what it gives is read later, in threads."""
    given = {**headers, "Accept-Ranges": "bytes"}
    try:
        span = ranges.parse(asked, size)
    except ranges.UnsatisfiableError:
        error = RangeError(f"The range begins after the end, at {size}.", where="Range", seen=asked)
        return JSONResponse(error.body(), error.status, given | {"Content-Range": f"bytes */{size}"})
    if span is None:
        given["Content-Length"] = str(size)
        return StreamingResponse(read(Span(0, size)), 200, given, media_type)
    given |= {"Content-Length": str(span.length), "Content-Range": ranges.content_range(span, size)}
    return StreamingResponse(read(span), 206, given, media_type)


def pieces(span: Span) -> Iterator[Span]:
    for start in range(span.start, span.end, PIECE):
        yield Span(start, min(span.end, start + PIECE))
