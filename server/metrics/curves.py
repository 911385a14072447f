"""Curves: as many buckets as there is room for, read from the coarsest level that has them. Long series cost no more.

A bucket holds neighbors in the order in which they came, whatever their x. It stands at its last x, and shows its
least, greatest and last value. A range takes whole buckets: one that touches it is in, so that nothing within it is
left out. Where the range holds few points, a bucket is one point.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, text
from sqlmodel import Session

from server.metrics import names, rows, tail
from server.metrics.batch import AXES, STEPS, Batch
from server.metrics.buckets import Buckets, every
from server.metrics.layout import LAYOUT, Layout
from server.runs.rows import is_id

_SERIES = text(
    "SELECT run_id, key_id, points, folded FROM metric_series WHERE run_id IN :runs AND key_id IN :keys"
).bindparams(bindparam("runs", expanding=True), bindparam("keys", expanding=True))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Curves of every key of every run, from `low` to `high` of one axis."""

    runs: Sequence[str]
    keys: Sequence[str]
    points: int = 1000
    x: str = STEPS
    low: float | None = None
    high: float | None = None

    @property
    def is_range(self) -> bool:
        return self.low is not None or self.high is not None


@dataclass(frozen=True)
class Curve:
    run: str
    key: str
    buckets: Buckets  # of one axis


class Series(NamedTuple):
    key: int
    points: int
    folded: int


class _View(NamedTuple):
    """A part of a series, points `begin` to `end` - 1, in buckets of one level."""

    level: int
    begin: int
    end: int


class _Piece(NamedTuple):
    """Neighboring rows of one level, and the points that are wanted of them."""

    level: int
    first_row: int
    end_row: int
    begin: int
    end: int


def read_curves(session: Session, asked: Asked, layout: Layout = LAYOUT) -> list[Curve]:
    """Run by run, key by key, as asked; without those that do not exist."""
    connection = session.connection()
    ids = names.find(connection, {*asked.keys, STEPS})
    wanted = {name: ids[name] for name in asked.keys if name in ids}
    runs = [run_id for run_id in asked.runs if is_id(run_id)]
    curves = []
    for run_id, series in _find(connection, runs, list(wanted.values())).items():
        reader = Reader(connection, run_id, ids[STEPS], layout, AXES.index(asked.x))
        drawn = reader.draw([series[key] for key in wanted.values() if key in series], asked)
        curves += [Curve(run_id, name, drawn[key]) for name, key in wanted.items() if key in drawn]
    return curves


def _find(connection: Connection, runs: Sequence[str], keys: Sequence[int]) -> dict[str, dict[int, Series]]:
    if not runs or not keys:
        return {}
    found: dict[str, dict[int, Series]] = {run_id: {} for run_id in runs}
    for row in connection.execute(_SERIES, {"runs": list(runs), "keys": keys}):
        found[row.run_id][row.key_id] = Series(row.key_id, row.points, row.folded)
    return {run_id: series for run_id, series in found.items() if series}


class Reader:
    """Reads series of one run along one axis, those that are alike with one statement."""

    def __init__(self, connection: Connection, run_id: str, steps_key: int, layout: Layout, axis: int = 0) -> None:
        self.connection, self.run_id, self.steps_key, self.layout = connection, run_id, steps_key, layout
        self.axis = axis
        self._tail: Batch | None = None

    def draw(self, series: Sequence[Series], asked: Asked) -> dict[int, Buckets]:
        known = {each.key: each for each in series}
        views = {each.key: self._whole(each, asked.points) for each in series}
        drawn: dict[int, Buckets] = {}
        while views:
            finer = {}
            for key, buckets in self.read(known, views).items():
                inside = _inside(buckets, asked)
                view = self._closer(views[key], inside, asked.points) if asked.is_range else None
                if view is None:
                    drawn[key] = _few(buckets.taken(inside), asked.points)
                else:
                    finer[key] = view
            views = finer
        return drawn

    def summaries(self, series: Sequence[Series]) -> dict[int, Buckets]:
        """Each series in a few buckets."""
        return self.read({each.key: each for each in series}, {each.key: self._whole(each, 2) for each in series})

    def read(self, series: Mapping[int, Series], views: Mapping[int, _View]) -> dict[int, Buckets]:
        parts: defaultdict[int, list[tuple[Buckets, int, int]]] = defaultdict(list)
        for piece, keys in self._pieces(series, views).items():
            loaded = self._load(piece, keys)
            size = self.layout.bucket(piece.level)
            for key in keys:
                parts[key].append((self._piece(loaded, key, piece), piece.begin, size))
        late = self._late(series, views)
        return {
            key: _gathered([*parts[key], *late.get(key, ())], self.layout.bucket(view.level))
            for key, view in views.items()
        }

    def _whole(self, series: Series, points: int) -> _View:
        return _View(self.layout.level(series.points, -(-points // 2)), 0, series.points)

    def _closer(self, view: _View, inside: "np.ndarray[tuple[int], np.dtype[np.int64]]", points: int) -> _View | None:
        """What to read to see the same range in more detail, if there is more."""
        if not len(inside):
            return None
        size = self.layout.bucket(view.level)
        begin = view.begin + int(inside[0]) * size
        end = min(view.end, view.begin + (int(inside[-1]) + 1) * size)
        level = self.layout.level(end - begin, -(-points // 2))
        return _View(level, begin, end) if level < view.level else None

    def _pieces(self, series: Mapping[int, Series], views: Mapping[int, _View]) -> dict[_Piece, list[int]]:
        pieces: defaultdict[_Piece, list[int]] = defaultdict(list)
        for key, view in views.items():
            position, end = view.begin, min(view.end, series[key].folded)
            while position < end:
                piece = self._piece_at(position, end, view.level, series[key].folded)
                pieces[piece].append(key)
                position = piece.end
        return pieces

    def _piece_at(self, position: int, end: int, level: int, folded: int) -> _Piece:
        """The coarsest rows that there are at this place: those that are not full yet do not exist."""
        while level and (position // self.layout.row(level) + 1) * self.layout.row(level) > folded:
            level -= 1
        size = self.layout.row(level)
        end_row = -(-end // size)
        if level:
            end_row = min(end_row, folded // size)
        return _Piece(level, position // size, end_row, position, min(end, end_row * size))

    def _load(self, piece: _Piece, keys: Sequence[int]) -> rows.Rows:
        bucket = self.layout.bucket(piece.level)
        return rows.load(
            self.connection,
            self.run_id,
            self.steps_key,
            keys,
            level=piece.level,
            per_bucket=bucket,
            first=piece.first_row,
            end=piece.end_row,
        )

    def _piece(self, loaded: rows.Rows, key: int, piece: _Piece) -> Buckets:
        numbers = range(piece.first_row, piece.end_row)
        whole = Buckets.joined([loaded.buckets(key, number, [self.axis]) for number in numbers])
        size, start = self.layout.bucket(piece.level), piece.first_row * self.layout.row(piece.level)
        return whole.taken(slice((piece.begin - start) // size, -(-(piece.end - start) // size)))

    def _late(
        self, series: Mapping[int, Series], views: Mapping[int, _View]
    ) -> dict[int, list[tuple[Buckets, int, int]]]:
        """What is still in the tail."""
        if all(view.end <= series[key].folded for key, view in views.items()):
            return {}
        if self._tail is None:
            self._tail = tail.read(self.connection, self.run_id, 0, 2**62)
        assert self._tail is not None, f"run {self.run_id} has points that are neither in chunks nor in the tail"
        points = self._tail.only(np.array(list(views))).points()
        found = {}
        for key, (numbers, values) in points.items():
            folded, view = series[key].folded, views[key]
            wanted = slice(max(0, view.begin - folded), max(0, view.end - folded))
            axes = self._tail.axes[self.axis : self.axis + 1, numbers[wanted]]
            if axes.size:
                found[key] = [(Buckets.of_points(axes, values[wanted]), max(folded, view.begin), 1)]
        return found


def _gathered(parts: Sequence[tuple[Buckets, int, int]], size: int) -> Buckets:
    """Parts of finer levels become buckets of `size` points, cut where the whole series is cut."""
    places = np.concatenate([begin + np.arange(len(part)) * each for part, begin, each in parts]) // size
    return Buckets.joined([part for part, _, _ in parts]).merged(np.flatnonzero(np.diff(places, prepend=-1)))


def _inside(buckets: Buckets, asked: Asked) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    inside = ~np.isnan(buckets.x_last[0])
    if asked.low is not None:
        inside &= buckets.x_high[0] >= asked.low
    if asked.high is not None:
        inside &= buckets.x_low[0] <= asked.high
    return np.flatnonzero(inside)


def _few(buckets: Buckets, points: int) -> Buckets:
    return buckets.merged(every(len(buckets), max(1, -(-len(buckets) // points))))
