"""Appending records: each is kept once, at its place in the run's stream, however often and by whomever it is sent."""

from dataclasses import replace

from sqlalchemy import Connection, text
from sqlmodel import Session

from server.errors import GapError
from server.metrics import fold, names, series, tail
from server.metrics.batch import Batch
from server.metrics.columns import Ints
from server.metrics.layout import LAYOUT, Layout
from server.metrics.parse import Sent

_ADVANCE = text(
    "UPDATE metric_stream SET records = records + :records, tail_points = tail_points + :points"
    " WHERE run_id = :run_id AND records = :offset RETURNING folded, tail_points"
)
_RECORDS = text("SELECT records FROM metric_stream WHERE run_id = :run_id")
_BEGIN = text(
    "INSERT INTO metric_stream (run_id, records, folded, tail_points, rewinds) VALUES (:run_id, 0, 0, 0, 0)"
    " ON CONFLICT (run_id) DO NOTHING"
)


def append(session: Session, run_id: str, sent: Sent, layout: Layout = LAYOUT) -> int:
    """How many records the run has then. What it already has is skipped; a gap is refused."""
    connection = session.connection()
    offset, batch = sent.offset, sent.batch
    while True:
        moved = _advance(connection, run_id, offset, batch) if batch.records else None
        if moved is not None:
            break
        have = _records(connection, run_id)
        if offset > have:
            message = f"Run {run_id} has {have:,} records; these begin with number {offset:,}."
            raise GapError(message, expected=have, seen=offset)
        if offset + batch.records <= have:
            return have
        offset, batch = have, batch.after(have - offset)
    _store(connection, run_id, offset, replace(batch, keys=_intern(connection, sent, batch)), moved, layout)
    return offset + batch.records


def _intern(connection: Connection, sent: Sent, batch: Batch) -> Ints:
    return names.intern(connection, [sent.names[place] for place in batch.keys.tolist()])


def _store(
    connection: Connection, run_id: str, offset: int, batch: Batch, before: tuple[int, int], layout: Layout
) -> None:
    tail.add(connection, run_id, offset, batch, layout)
    series.add(connection, run_id, batch)
    folded, tail_points = before
    end = fold.due(layout, folded=folded, records=offset + batch.records, tail_points=tail_points)
    if end > folded:
        fold.fold(connection, run_id, folded, end, layout)


def _advance(connection: Connection, run_id: str, offset: int, batch: Batch) -> tuple[int, int] | None:
    """Compare and swap: whoever finds the count as expected owns the numbers after it. None: the count is another."""
    counts = {"run_id": run_id, "offset": offset, "records": batch.records, "points": len(batch.values)}
    row = connection.execute(_ADVANCE, counts).one_or_none()
    return None if row is None else (row.folded, row.tail_points)


def _records(connection: Connection, run_id: str) -> int:
    have: int | None = connection.execute(_RECORDS, {"run_id": run_id}).scalar()
    if have is None:
        connection.execute(_BEGIN, {"run_id": run_id})
        return 0
    return have
