"""The bytes of chunks and of pyramid rows, and reading them.

A series that has a point in every record from the first one on needs no axes of its own: its points are the stream's.
Its rows hold values alone; the axes are those of the series of steps, in the rows with the same numbers.

    chunk: value · record, env_steps, train_steps, wall_time_s
    pyramid: non-finite, least, greatest, last · and for each of the three axes: least, greatest, last
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, text

from server.metrics.buckets import Buckets
from server.metrics.columns import Columns, Floats, Ints, pack

ALL_AXES = (0, 1, 2)
_CHUNK_VALUES, _PYRAMID_VALUES = 1, 4

_CHUNKS = text(
    "SELECT key_id, number, body FROM metric_chunk"
    " WHERE run_id = :run_id AND key_id IN :keys AND number >= :first AND number < :end"
).bindparams(bindparam("keys", expanding=True))
_PYRAMID = text(
    "SELECT key_id, number, body FROM metric_pyramid"
    " WHERE run_id = :run_id AND key_id IN :keys AND level = :level AND number >= :first AND number < :end"
).bindparams(bindparam("keys", expanding=True))


@dataclass(frozen=True)
class Points:
    """Some points of one series."""

    numbers: Ints  # the records they are in
    axes: Floats  # (axes, points)
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, which: slice) -> "Points":
        return Points(self.numbers[which], self.axes[:, which], self.values[which])

    def then(self, more: "Points") -> "Points":
        return Points(
            np.concatenate([self.numbers, more.numbers]),
            np.concatenate([self.axes, more.axes], axis=1),
            np.concatenate([self.values, more.values]),
        )

    def fill_every_record(self, position: int) -> bool:
        """Whether the series has a point in every record up to its last one here; `position` is that of the first here.

        A point is never in an earlier record than its own number, so the last one tells for all.
        """
        return bool(self.numbers[-1] == position + len(self) - 1)


def encode_chunk(points: Points, *, own_axes: bool) -> bytes:
    axes = [points.numbers.astype(np.float64), *points.axes] if own_axes else []
    return pack([points.values, *axes], small=True)


def encode_row(buckets: Buckets, *, own_axes: bool) -> bytes:
    places = zip(buckets.x_low, buckets.x_high, buckets.x_last, strict=True)
    axes = [column for axis in places for column in axis] if own_axes else []
    return pack([buckets.non_finite.astype(np.float64), buckets.low, buckets.high, buckets.last, *axes], small=True)


class Rows:
    """Rows of one level of one run, by key and number. Level 0 is the chunks."""

    def __init__(self, level: int, per_bucket: int, steps_key: int, bodies: dict[tuple[int, int], bytes]) -> None:
        self._own = _PYRAMID_VALUES if level else _CHUNK_VALUES
        self._per_bucket, self._steps_key = per_bucket, steps_key
        self._columns = {place: Columns(body) for place, body in bodies.items()}
        self._shared: dict[tuple[int, int], Floats] = {}

    def has_own_axes(self, key: int, number: int) -> bool:
        return len(self._columns[key, number]) > self._own

    def points(self, key: int, number: int, axes: Sequence[int] = ALL_AXES) -> Points:
        numbers = self._axis(key, number, 0).astype(np.int64)
        return Points(numbers, self._axes(key, number, [1 + axis for axis in axes]), self._columns[key, number][0])

    def buckets(self, key: int, number: int, axes: Sequence[int] = ALL_AXES) -> Buckets:
        columns = self._columns[key, number]
        if self._own == _CHUNK_VALUES:
            return Buckets.of_points(self._axes(key, number, [1 + axis for axis in axes]), columns[0])
        x_low, x_high, x_last = (self._axes(key, number, [3 * axis + which for axis in axes]) for which in range(3))
        count = np.full(columns.rows(0), self._per_bucket)
        return Buckets(x_low, x_high, x_last, columns[0].astype(np.int64), columns[1], columns[2], columns[3], count)

    def _axes(self, key: int, number: int, places: Sequence[int]) -> Floats:
        if not places:
            return np.empty((0, self._columns[key, number].rows(0)))
        return np.stack([self._axis(key, number, place) for place in places])

    def _axis(self, key: int, number: int, place: int) -> Floats:
        columns = self._columns[key, number]
        if len(columns) > self._own:
            return columns[self._own + place]
        found = self._shared.get((number, place))
        if found is None:
            found = self._columns[self._steps_key, number][self._own + place]
            self._shared[number, place] = found
        return found[: columns.rows(0)]


def load(
    connection: Connection,
    run_id: str,
    steps_key: int,
    keys: Iterable[int],
    *,
    level: int,
    per_bucket: int,
    first: int,
    end: int,
) -> Rows:
    """Rows number `first` to `end` - 1 of some keys, and those of the series of steps."""
    wanted = {"run_id": run_id, "keys": [*{*keys, steps_key}], "first": first, "end": end}
    found = connection.execute(_PYRAMID, {**wanted, "level": level}) if level else connection.execute(_CHUNKS, wanted)
    return Rows(level, per_bucket, steps_key, {(row.key_id, row.number): row.body for row in found})
