"""What the stream of one run still has to tell: from its cursor to now, in messages that each move the cursor."""

import codecs
from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import text
from sqlmodel import Session

from server.errors import NotFoundError
from server.files import logs
from server.live import events
from server.live.cursors import EverythingCursor, RunCursor
from server.live.out import event_out
from server.metrics.read import records_since
from server.runs.out import runs_out
from server.runs.rows import get_run, is_id
from server.tables import RunState

FAR_BEHIND = 2000  # records; a page then reads its curves again, which is cheaper than so many points
_RECORDS, _LOG = 250, 64 * 1024  # in one message

# All that can have changed, in one statement: most looks find nothing, and cost no more than this.
_HEAD = text(
    "SELECT state, version,"
    " coalesce((SELECT records FROM metric_stream WHERE run_id = run.id), 0) AS records,"
    " coalesce((SELECT rewinds FROM metric_stream WHERE run_id = run.id), 0) AS rewinds,"
    " coalesce((SELECT max(id) FROM event WHERE run_id = run.id), 0) AS event,"
    " coalesce((SELECT start + length FROM log_chunk WHERE run_id = run.id ORDER BY start DESC LIMIT 1), 0) AS log"
    " FROM run WHERE id = :run_id"
)


C = TypeVar("C", RunCursor, EverythingCursor)


class Message(NamedTuple, Generic[C]):
    name: str
    data: dict[str, Any]
    cursor: C  # where the stream is once it has said this


class Head(NamedTuple):
    """How far the run itself has got; a cursor is how far its reader has."""

    is_over: bool
    cursor: RunCursor


def read_head(session: Session, run_id: str) -> Head:
    row = session.connection().execute(_HEAD, {"run_id": run_id}).one_or_none() if is_id(run_id) else None
    if row is None:
        raise NotFoundError.of("run", run_id)
    cursor = RunCursor(row.records, row.rewinds, row.event, row.log, row.version)
    return Head(RunState(row.state).is_final, cursor)


def messages_since(session: Session, run_id: str, since: RunCursor, head: Head) -> Iterator[Message[RunCursor]]:
    """The run's row comes last: when it says that the run is over, everything else of it was said before."""
    parts = (_rewind, _metrics, _event, _log, _run)
    while True:
        following = (part(session, run_id, since, head) for part in parts)
        message = next((said for said in following if said is not None), None)
        if message is None:
            return
        yield message
        since = message.cursor


def _rewind(session: Session, run_id: str, at: RunCursor, head: Head) -> Message[RunCursor] | None:
    """How far back it went is not kept, and it may have gone on since: all records are to be read again."""
    now = head.cursor
    if at.rewinds == now.rewinds and at.records <= now.records:
        return None
    return Message("rewind", {"records": 0, "refresh": True}, at._replace(records=now.records, rewinds=now.rewinds))


def _metrics(session: Session, run_id: str, at: RunCursor, head: Head) -> Message[RunCursor] | None:
    behind = head.cursor.records - at.records
    if behind > FAR_BEHIND:
        return Message("metrics", {"from": at.records, "refresh": True}, at._replace(records=head.cursor.records))
    records = records_since(session, run_id, at.records, min(behind, _RECORDS)) if behind else []
    if not records:
        return None
    return Message("metrics", {"from": at.records, "records": records}, at._replace(records=at.records + len(records)))


def _event(session: Session, run_id: str, at: RunCursor, head: Head) -> Message[RunCursor] | None:
    new = events.of_run(session, run_id, at.event, 1) if head.cursor.event > at.event else []
    if not new:
        return None
    out = event_out(new[0])
    return Message("event", out.model_dump(), at._replace(event=out.id))


def _log(session: Session, run_id: str, at: RunCursor, head: Head) -> Message[RunCursor] | None:
    """The end of a character whose beginning is here already is waited for, unless the run is over."""
    size = head.cursor.log
    start = at.log if at.log <= size else 0
    data = logs.read(session, run_id, start, min(_LOG, size - start)) if size > start else b""
    words, used = codecs.utf_8_decode(data, "replace", head.is_over and start + len(data) == size)
    return Message("log", {"start": start, "text": words}, at._replace(log=start + used)) if used else None


def _run(session: Session, run_id: str, at: RunCursor, head: Head) -> Message[RunCursor] | None:
    if at.version == head.cursor.version:
        return None
    [out] = runs_out(session, [get_run(session, run_id)])
    return Message("run", out.model_dump(mode="json"), at._replace(version=out.version))
