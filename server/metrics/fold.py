"""Folding: the tail becomes chunks of one series each, and chunks become rows of the pyramid.

The append that makes a fold due does it. A series' last chunk may be partial and is written again when there is more;
a row of the pyramid is written once, when it is full.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text

from server.metrics import names, rows, tail
from server.metrics.batch import STEPS, Batch
from server.metrics.buckets import Buckets, group_starts
from server.metrics.layout import Layout
from server.metrics.rows import Points

_KEYS_AT_ONCE = 64  # so that thousands of them are not all in memory

_FOLDED = text("SELECT key_id, folded FROM metric_series WHERE run_id = :run_id AND key_id IN :keys").bindparams(
    bindparam("keys", expanding=True)
)
_SET_FOLDED = text("UPDATE metric_series SET folded = :folded WHERE run_id = :run_id AND key_id = :key_id")
_SET_STREAM = text("UPDATE metric_stream SET folded = :folded, tail_points = :tail_points WHERE run_id = :run_id")
_WRITE_CHUNK = text(
    "INSERT INTO metric_chunk (run_id, key_id, number, first_record, last_record, body)"
    " VALUES (:run_id, :key_id, :number, :first_record, :last_record, :body)"
    " ON CONFLICT (run_id, key_id, number) DO UPDATE SET last_record = excluded.last_record, body = excluded.body"
)
_WRITE_ROW = text(
    "INSERT INTO metric_pyramid (run_id, key_id, level, number, body) VALUES (:run_id, :key_id, :level, :number, :body)"
)


class _Growth(NamedTuple):
    """How many points of a series were in chunks, and how many are now."""

    before: int
    now: int


def due(layout: Layout, *, folded: int, records: int, tail_points: int) -> int:
    """Up to which record to fold. Whole chunks of the stream, so that those of most series are written once."""
    whole = records - records % layout.chunk
    if whole > folded:
        return whole
    return records if tail_points > layout.tail_points else folded


def fold(connection: Connection, run_id: str, folded: int, end: int, layout: Layout) -> None:
    """Fold the records from `folded` to `end`; what comes after stays in the tail."""
    whole = tail.read(connection, run_id, folded)
    assert whole is not None, f"run {run_id} has no tail to fold"
    batch, rest = whole.before(end - folded), whole.after(end - folded)
    tail.replace(connection, run_id, end, rest)
    connection.execute(_SET_STREAM, {"run_id": run_id, "folded": end, "tail_points": len(rest.values)})
    folder = _Folder(connection, run_id, layout)
    for points in _some_keys(batch, folded, folder.steps_key):
        folder.add(points)


def _some_keys(batch: Batch, first: int, steps_key: int) -> Iterator[dict[int, Points]]:
    """The series of steps comes first: others take their axes from it."""
    found = batch.points()
    order = sorted(found, key=lambda key: (key != steps_key, key))
    for start in range(0, len(order), _KEYS_AT_ONCE):
        yield {
            key: Points(found[key][0] + first, batch.axes[:, found[key][0]], found[key][1])
            for key in order[start : start + _KEYS_AT_ONCE]
        }


class _Folder:
    def __init__(self, connection: Connection, run_id: str, layout: Layout) -> None:
        self.connection, self.run_id, self.layout = connection, run_id, layout
        self.steps_key = names.find(connection, [STEPS])[STEPS]

    def add(self, points: Mapping[int, Points]) -> None:
        before = self._folded(list(points))
        started = self._with_partial_chunks(points, before)
        grown = {key: _Growth(before[key], before[key] + len(points[key])) for key in points}
        self._write(_WRITE_CHUNK, [row for key in points for row in self._chunks(key, before[key], started[key])])
        self._write(_WRITE_ROW, [row for key in points for row in self._first_level(key, before[key], started[key])])
        level = 2
        while any(self._completed(level, growth) for growth in grown.values()):
            self._write(_WRITE_ROW, self._next_level(level, grown))
            level += 1
        self._write(_SET_FOLDED, [{"key_id": key, "folded": growth.now} for key, growth in grown.items()])

    def _folded(self, keys: Sequence[int]) -> dict[int, int]:
        found = self.connection.execute(_FOLDED, {"run_id": self.run_id, "keys": keys})
        return {row.key_id: row.folded for row in found}

    def _with_partial_chunks(self, points: Mapping[int, Points], before: Mapping[int, int]) -> dict[int, Points]:
        """Each series' new points, after those of its chunk that was not full."""
        started = dict(points)
        partial: defaultdict[int, list[int]] = defaultdict(list)
        for key in points:
            if before[key] % self.layout.chunk:
                partial[before[key] // self.layout.chunk].append(key)
        for number, keys in partial.items():
            old = self._load(0, keys, number, number + 1)
            for key in keys:
                started[key] = old.points(key, number).then(points[key])
        return started

    def _chunks(self, key: int, before: int, points: Points) -> Iterator[dict[str, Any]]:
        for number, part in self._parts(before, points):
            yield {
                "key_id": key,
                "number": number,
                "first_record": int(part.numbers[0]),
                "last_record": int(part.numbers[-1]),
                "body": rows.encode_chunk(part, own_axes=self._needs_axes(key, number, part)),
            }

    def _first_level(self, key: int, before: int, points: Points) -> Iterator[dict[str, Any]]:
        for number, part in self._parts(before, points):
            if len(part) == self.layout.chunk:
                buckets = Buckets.of_points(part.axes, part.values).merged(group_starts(len(part), self.layout.span))
                body = rows.encode_row(buckets, own_axes=self._needs_axes(key, number, part))
                yield {"key_id": key, "level": 1, "number": number, "body": body}

    def _needs_axes(self, key: int, number: int, chunk: Points) -> bool:
        """Else its points are those of the series of steps, which holds the axes for all."""
        return key == self.steps_key or not chunk.fill_every_record(number * self.layout.chunk)

    def _parts(self, before: int, points: Points) -> Iterator[tuple[int, Points]]:
        chunk = self.layout.chunk
        for start in range(0, len(points), chunk):
            yield (before + start) // chunk, points[start : start + chunk]

    def _completed(self, level: int, growth: _Growth) -> range:
        """Rows of this level that are full now and were not before."""
        size = self.layout.row(level)
        return range(growth.before // size, growth.now // size)

    def _next_level(self, level: int, grown: Mapping[int, _Growth]) -> list[dict[str, Any]]:
        alike: defaultdict[range, list[int]] = defaultdict(list)
        for key, growth in grown.items():
            alike[self._completed(level, growth)].append(key)
        fan, made = self.layout.fan, []
        for numbers, keys in alike.items():
            below = self._load(level - 1, keys, numbers.start * fan, numbers.stop * fan)
            for key in keys:
                for number in numbers:
                    children = range(number * fan, number * fan + fan)
                    whole = Buckets.joined([below.buckets(key, child) for child in children])
                    own_axes = any(below.has_own_axes(key, child) for child in children)
                    body = rows.encode_row(whole.merged(group_starts(len(whole), fan)), own_axes=own_axes)
                    made.append({"key_id": key, "level": level, "number": number, "body": body})
        return made

    def _load(self, level: int, keys: Sequence[int], first: int, end: int) -> rows.Rows:
        bucket = self.layout.bucket(level)
        return rows.load(
            self.connection, self.run_id, self.steps_key, keys, level=level, per_bucket=bucket, first=first, end=end
        )

    def _write(self, statement: Any, written: Sequence[dict[str, Any]]) -> None:
        if written:
            self.connection.execute(statement, [{"run_id": self.run_id, **row} for row in written])
