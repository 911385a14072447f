"""Series of one run as buckets: each part comes from the coarsest rows that hold it, the newest from the tail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from server.metrics import rows, tail
from server.metrics.batch import Batch
from server.metrics.buckets import Buckets
from server.metrics.columns import Ints
from server.metrics.layout import Layout


class Series(NamedTuple):
    key: int
    points: int
    folded: int


class View(NamedTuple):
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


class _Part(NamedTuple):
    """Buckets of `size` points each, the first of which begins at point `begin` of the series."""

    buckets: Buckets
    begin: int
    size: int


def whole_view(layout: Layout, series: Series, points: int) -> View:
    """All of it, in `points` buckets or up to half as many."""
    return View(layout.level(series.points, -(-points // 2)), 0, series.points)


def closer_view(layout: Layout, view: View, inside: Ints, points: int) -> View | None:
    """What to read to see the buckets `inside` a view in more detail; None if there is no more."""
    if not len(inside):
        return None
    size = layout.bucket(view.level)
    begin = view.begin + int(inside[0]) * size
    end = min(view.end, view.begin + (int(inside[-1]) + 1) * size)
    level = layout.level(end - begin, -(-points // 2))
    return View(level, begin, end) if level < view.level else None


class SeriesReader:
    """Along one axis. Series that are alike are read with one statement. `late`: the tail, where it is at hand."""

    def __init__(
        self,
        connection: Connection,
        run_id: str,
        steps_key: int,
        layout: Layout,
        axis: int = 0,
        late: Batch | None = None,
    ) -> None:
        self.connection, self.run_id, self.steps_key, self.layout = connection, run_id, steps_key, layout
        self.axis = axis
        self._tail = late

    def summaries(self, series: Sequence[Series]) -> dict[int, Buckets]:
        """Each series in a few buckets."""
        known = {each.key: each for each in series}
        return self.read(known, {key: whole_view(self.layout, each, 2) for key, each in known.items()})

    def read(self, series: Mapping[int, Series], views: Mapping[int, View]) -> dict[int, Buckets]:
        parts: defaultdict[int, list[_Part]] = defaultdict(list)
        for piece, keys in self._pieces(series, views).items():
            loaded = self._load(piece, keys)
            size = self.layout.bucket(piece.level)
            for key in keys:
                parts[key].append(_Part(self._buckets(loaded, key, piece), piece.begin, size))
        for key, late in self._late(series, views).items():
            parts[key].append(late)
        return {key: _gathered(parts[key], self.layout.bucket(view.level)) for key, view in views.items()}

    def _pieces(self, series: Mapping[int, Series], views: Mapping[int, View]) -> dict[_Piece, list[int]]:
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
        return rows.load(
            self.connection,
            self.run_id,
            self.steps_key,
            keys,
            level=piece.level,
            per_bucket=self.layout.bucket(piece.level),
            first=piece.first_row,
            end=piece.end_row,
        )

    def _buckets(self, loaded: rows.Rows, key: int, piece: _Piece) -> Buckets:
        numbers = range(piece.first_row, piece.end_row)
        whole = Buckets.joined([loaded.buckets(key, number, [self.axis]) for number in numbers])
        size, start = self.layout.bucket(piece.level), piece.first_row * self.layout.row(piece.level)
        return whole.taken(slice((piece.begin - start) // size, -(-(piece.end - start) // size)))

    def _late(self, series: Mapping[int, Series], views: Mapping[int, View]) -> dict[int, _Part]:
        """What is still in the tail, one bucket a point."""
        if all(view.end <= series[key].folded for key, view in views.items()):
            return {}
        if self._tail is None:
            self._tail = tail.read(self.connection, self.run_id)
        assert self._tail is not None, f"run {self.run_id} has points that are neither in chunks nor in the tail"
        points = self._tail.only(np.array(list(views))).points()
        found = {}
        for key, (numbers, values) in points.items():
            folded, view = series[key].folded, views[key]
            wanted = slice(max(0, view.begin - folded), max(0, view.end - folded))
            axes = self._tail.axes[self.axis : self.axis + 1, numbers[wanted]]
            if axes.size:
                found[key] = _Part(Buckets.of_points(axes, values[wanted]), max(folded, view.begin), 1)
        return found


def _gathered(parts: Sequence[_Part], size: int) -> Buckets:
    """Parts of finer levels become buckets of `size` points, cut where the whole series is cut."""
    if all(part.size == size for part in parts):
        return Buckets.joined([part.buckets for part in parts])
    places = np.concatenate([part.begin + np.arange(len(part.buckets)) * part.size for part in parts]) // size
    return Buckets.joined([part.buckets for part in parts]).merged(np.flatnonzero(np.diff(places, prepend=-1)))
