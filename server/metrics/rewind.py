"""Taking records back: a resumed run writes again what its checkpoint had not seen."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, text
from sqlmodel import Session

from dreamer_core.metrics.jsonsafe import word
from server.metrics import names, rows, tail
from server.metrics.batch import STEPS, Batch
from server.metrics.buckets import Buckets
from server.metrics.layout import LAYOUT, Layout
from server.metrics.series import number_or_none
from server.metrics.series_reader import Series, SeriesReader

_KEYS_AT_ONCE = 64

_CUT_STREAM = text(
    "UPDATE metric_stream SET records = :records, rewinds = rewinds + 1"
    " WHERE run_id = :run_id AND records > :records RETURNING folded"
)
_SET_STREAM = text("UPDATE metric_stream SET folded = :folded, tail_points = :points WHERE run_id = :run_id")
_CROSSING = text(
    "SELECT key_id, number FROM metric_chunk"
    " WHERE run_id = :run_id AND last_record >= :records AND first_record < :records"
)
_CROSSED = text(
    "SELECT key_id, min(number) AS number FROM metric_chunk"
    " WHERE run_id = :run_id AND last_record >= :records AND first_record >= :records GROUP BY key_id"
)
_DROP_CHUNKS = text("DELETE FROM metric_chunk WHERE run_id = :run_id AND first_record >= :records")
_CUT_CHUNK = text(
    "UPDATE metric_chunk SET last_record = :last_record, body = :body"
    " WHERE run_id = :run_id AND key_id = :key_id AND number = :number"
)
_DROP_ROWS = text(
    "DELETE FROM metric_pyramid WHERE run_id = :run_id AND key_id = :key_id AND level = :level AND number >= :number"
)
_SERIES = text("SELECT key_id, points, folded FROM metric_series WHERE run_id = :run_id")
_DROP_SERIES = text("DELETE FROM metric_series WHERE run_id = :run_id AND key_id = :key_id")
_SET_SERIES = text(
    "UPDATE metric_series SET points = :points, folded = :folded, non_finite = :non_finite,"
    " first_non_finite = CASE WHEN :non_finite = 0 THEN NULL ELSE first_non_finite END,"
    ' last = :last, last_word = :last_word, last_step = :last_step, "min" = :low, "max" = :high'
    " WHERE run_id = :run_id AND key_id = :key_id"
)


def rewind(session: Session, run_id: str, records: int, layout: Layout = LAYOUT) -> None:
    """As if the records from this number on had never been sent. Nothing happens where there are none."""
    connection = session.connection()
    # The first statement changes the stream's row, which holds it: nobody appends until this is done.
    before: int | None = connection.execute(_CUT_STREAM, {"run_id": run_id, "records": records}).scalar()
    if before is None:
        return
    folded = min(before, records)
    late = _cut_tail(connection, run_id, folded, records)
    points = 0 if late is None else len(late.values)
    connection.execute(_SET_STREAM, {"run_id": run_id, "folded": folded, "points": points})
    in_chunks = _cut_chunks(connection, run_id, records, layout) if records < before else {}
    _cut_series(connection, run_id, in_chunks, _counts(late), layout)


def _cut_tail(connection: Connection, run_id: str, folded: int, records: int) -> Batch | None:
    late = tail.read(connection, run_id, folded, records) if records > folded else None
    tail.replace(connection, run_id, folded, late)
    return late


def _counts(batch: Batch | None) -> dict[int, int]:
    return {} if batch is None else dict(zip(batch.keys.tolist(), batch.counts.tolist(), strict=True))


def _cut_chunks(connection: Connection, run_id: str, records: int, layout: Layout) -> dict[int, int]:
    """Of each series that lost points, how many are left in its chunks."""
    at = {"run_id": run_id, "records": records}
    left = {row.key_id: row.number * layout.chunk for row in connection.execute(_CROSSED, at)}
    crossing = {row.key_id: row.number for row in connection.execute(_CROSSING, at)}
    connection.execute(_DROP_CHUNKS, at)
    steps_key = names.find(connection, [STEPS])[STEPS]
    # The series of steps is cut last: until then, the others take their axes from it.
    for number, keys in _alike(crossing, last=steps_key):
        loaded = rows.load(connection, run_id, steps_key, keys, level=0, per_bucket=1, first=number, end=number + 1)
        cut = [_cut_chunk(loaded, key, number, records) for key in keys]
        connection.execute(_CUT_CHUNK, [{"run_id": run_id, **row} for row, _ in cut])
        left |= {row["key_id"]: number * layout.chunk + points for row, points in cut}
    return left


def _alike(numbers: Mapping[int, int], last: int) -> Iterable[tuple[int, Sequence[int]]]:
    """Keys with the same chunk number, some at a time."""
    alike: defaultdict[tuple[bool, int], list[int]] = defaultdict(list)
    for key, number in numbers.items():
        alike[key == last, number].append(key)
    for (_, number), keys in sorted(alike.items()):
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            yield number, keys[start : start + _KEYS_AT_ONCE]


def _cut_chunk(loaded: rows.Rows, key: int, number: int, records: int) -> tuple[dict[str, Any], int]:
    points = loaded.points(key, number)
    left = points[: int(np.searchsorted(points.numbers, records))]
    body = rows.encode_chunk(left, own_axes=loaded.has_own_axes(key, number))
    return {"key_id": key, "number": number, "last_record": int(left.numbers[-1]), "body": body}, len(left)


def _cut_series(
    connection: Connection, run_id: str, in_chunks: Mapping[int, int], late: Mapping[int, int], layout: Layout
) -> None:
    """`in_chunks`: of those that lost some there. `late`: points in what is left of the tail."""
    shorter, empty = [], []
    for row in connection.execute(_SERIES, {"run_id": run_id}):
        folded = in_chunks.get(row.key_id, row.folded)
        points = folded + late.get(row.key_id, 0)
        if not points:
            empty.append(row.key_id)
        elif points < row.points:
            shorter.append(Series(row.key_id, points, folded))
        _drop_rows(connection, run_id, row.key_id, folded, row.folded, layout)
    if empty:
        connection.execute(_DROP_SERIES, [{"run_id": run_id, "key_id": key} for key in empty])
    for start in range(0, len(shorter), _KEYS_AT_ONCE):
        _summarize(connection, run_id, shorter[start : start + _KEYS_AT_ONCE], layout)


def _drop_rows(connection: Connection, run_id: str, key: int, folded: int, before: int, layout: Layout) -> None:
    """The pyramid's rows that are no longer full."""
    level, gone = 1, []
    while before // layout.row(level) > folded // layout.row(level):
        gone.append({"run_id": run_id, "key_id": key, "level": level, "number": folded // layout.row(level)})
        level += 1
    if gone:
        connection.execute(_DROP_ROWS, gone)


def _summarize(connection: Connection, run_id: str, series: Sequence[Series], layout: Layout) -> None:
    reader = SeriesReader(connection, run_id, names.find(connection, [STEPS])[STEPS], layout)
    found = reader.summaries(series)
    changed = [_summary(each, found[each.key]) for each in series]
    connection.execute(_SET_SERIES, [{"run_id": run_id, **row} for row in changed])


def _summary(series: Series, buckets: Buckets) -> dict[str, Any]:
    last = float(buckets.last[-1])
    return {
        "key_id": series.key,
        "points": series.points,
        "folded": series.folded,
        "non_finite": int(buckets.non_finite.sum()),
        "last": number_or_none(last),
        "last_word": word(last),
        "last_step": int(buckets.x_last[0, -1]),
        "low": number_or_none(float(np.fmin.reduce(buckets.low))),
        "high": number_or_none(float(np.fmax.reduce(buckets.high))),
    }
