"""Reading records back as they were sent, from the chunks and from the tail."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, text
from sqlmodel import Session

from server.metrics import names, tail
from server.metrics.batch import AXES, STEPS, Batch, joined
from server.metrics.rows import Points, Rows

Record = dict[str, float | int]

_STREAM = text("SELECT records, folded FROM metric_stream WHERE run_id = :run_id")
_STREAMS = text("SELECT run_id, records, rewinds FROM metric_stream WHERE run_id IN :runs").bindparams(
    bindparam("runs", expanding=True)
)
_CHUNKS = (
    "SELECT key_id, number, body FROM metric_chunk"
    " WHERE run_id = :run_id AND last_record >= :begin AND first_record < :end"
)
_ALL_CHUNKS = text(f"{_CHUNKS} ORDER BY key_id, number")
_SOME_CHUNKS = text(f"{_CHUNKS} AND key_id IN :keys ORDER BY key_id, number").bindparams(
    bindparam("keys", expanding=True)
)


def stream_state(session: Session, run_id: str) -> tuple[int, int]:
    """How many records there are, and how often some were taken back."""
    return stream_states(session, [run_id]).get(run_id, (0, 0))


def stream_states(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Without the runs that have no records yet."""
    if not run_ids:
        return {}
    found = session.connection().execute(_STREAMS, {"runs": list(run_ids)})
    return {row.run_id: (row.records, row.rewinds) for row in found}


def records_since(
    session: Session, run_id: str, first: int, limit: int, only: Sequence[str] | None = None
) -> list[Record]:
    """Numbers as numbers: whoever writes them as JSON needs `jsonsafe`."""
    connection = session.connection()
    keys = None if only is None else list(names.find(connection, only).values())
    batch = read_batch(connection, run_id, first, first + limit, keys)
    return [] if batch is None else as_records(batch, names.of_run(connection, run_id))


def read_batch(
    connection: Connection, run_id: str, begin: int, end: int, only: Sequence[int] | None = None
) -> Batch | None:
    """The records of [begin, end) that there are, with all keys or only some."""
    stream = connection.execute(_STREAM, {"run_id": run_id}).one_or_none()
    if stream is None or begin >= min(end, stream.records):
        return None
    parts = []
    if begin < stream.folded:
        parts.append(_from_chunks(connection, run_id, begin, min(end, stream.folded), only))
    late = tail.read(connection, run_id, max(begin, stream.folded), end) if end > stream.folded else None
    if late is not None:
        parts.append(late)
    batch = joined(parts)
    return batch if only is None else batch.only(np.array(only, np.int64))


def as_records(batch: Batch, names_of: dict[int, str]) -> list[Record]:
    """What a record did not say stays out of it."""
    records = _empty_records(batch)
    for key, (numbers, values) in batch.points().items():
        name = names_of[key]
        if name != STEPS:
            for number, value in zip(numbers.tolist(), values.tolist(), strict=True):
                records[number][name] = value
    return records


def _empty_records(batch: Batch) -> list[Record]:
    records: list[Record] = [{AXES[0]: int(step)} for step in batch.axes[0].tolist()]
    for name, axis in zip(AXES[1:], batch.axes[1:], strict=True):
        kind: Any = float if name == "wall_time_s" else int
        for record, value in zip(records, axis.tolist(), strict=True):
            if value == value:  # it is not NaN
                record[name] = kind(value)
    return records


def _from_chunks(connection: Connection, run_id: str, begin: int, end: int, only: Sequence[int] | None) -> Batch:
    steps_key = names.find(connection, [STEPS])[STEPS]
    wanted: dict[str, Any] = {"run_id": run_id, "begin": begin, "end": end}
    if only is None:
        found = connection.execute(_ALL_CHUNKS, wanted).all()
    else:
        found = connection.execute(_SOME_CHUNKS, {**wanted, "keys": [*{*only, steps_key}]}).all()
    chunks = Rows(0, 1, steps_key, {(row.key_id, row.number): row.body for row in found})
    places: defaultdict[int, list[int]] = defaultdict(list)
    for row in found:
        places[row.key_id].append(row.number)
    series = {
        key: _between([chunks.points(key, number, axes=()) for number in numbers], begin, end)
        for key, numbers in places.items()
    }
    series = {key: points for key, points in series.items() if len(points)}
    when = _between([chunks.points(steps_key, number) for number in places[steps_key]], begin, end)
    return Batch(
        when.axes,
        np.array(list(series), np.int64),
        np.array([len(points) for points in series.values()], np.int64),
        np.concatenate([points.numbers for points in series.values()]) - begin,
        np.concatenate([points.values for points in series.values()]),
    )


def _between(parts: list[Points], begin: int, end: int) -> Points:
    points = parts[0]
    for part in parts[1:]:
        points = points.then(part)
    first, stop = np.searchsorted(points.numbers, [begin, end]).tolist()
    return points[first:stop]
