"""Curves: as many buckets as there is room for, read from the coarsest level that has them. Long series cost no more.

A bucket holds neighbors in the order in which they came, whatever their x. It stands at its last x, and shows its
least, greatest and last value. A range takes whole buckets: one that touches it is in, so that nothing within it is
left out. Where the range holds few points, a bucket is one point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, text
from sqlmodel import Session

from server.metrics import names
from server.metrics.batch import AXES, STEPS
from server.metrics.buckets import Buckets, group_starts
from server.metrics.columns import Ints
from server.metrics.layout import LAYOUT, Layout
from server.metrics.series_reader import Series, SeriesReader, closer_view, whole_view
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


def read_curves(session: Session, asked: Asked, layout: Layout = LAYOUT) -> list[Curve]:
    """Run by run, key by key, as asked; without those that do not exist."""
    connection = session.connection()
    ids = names.find(connection, {*asked.keys, STEPS})
    wanted = {name: ids[name] for name in asked.keys if name in ids}
    runs = [run_id for run_id in asked.runs if is_id(run_id)]
    curves = []
    for run_id, series in _find(connection, runs, list(wanted.values())).items():
        reader = SeriesReader(connection, run_id, ids[STEPS], layout, AXES.index(asked.x))
        drawn = _draw(reader, series, asked)
        curves += [Curve(run_id, name, drawn[key]) for name, key in wanted.items() if key in drawn]
    return curves


def _find(connection: Connection, runs: Sequence[str], keys: Sequence[int]) -> dict[str, dict[int, Series]]:
    if not runs or not keys:
        return {}
    found: dict[str, dict[int, Series]] = {run_id: {} for run_id in runs}
    for row in connection.execute(_SERIES, {"runs": list(runs), "keys": keys}):
        found[row.run_id][row.key_id] = Series(row.key_id, row.points, row.folded)
    return {run_id: series for run_id, series in found.items() if series}


def _draw(reader: SeriesReader, series: Mapping[int, Series], asked: Asked) -> dict[int, Buckets]:
    """From the coarsest view on, closer and closer to the range that is asked for, until there is no more detail."""
    views = {key: whole_view(reader.layout, each, asked.points) for key, each in series.items()}
    drawn: dict[int, Buckets] = {}
    while views:
        finer = {}
        for key, buckets in reader.read(series, views).items():
            inside = _inside(buckets, asked)
            view = closer_view(reader.layout, views[key], inside, asked.points) if asked.is_range else None
            if view is None:
                drawn[key] = _at_most(asked.points, buckets.taken(inside))
            else:
                finer[key] = view
        views = finer
    return drawn


def _inside(buckets: Buckets, asked: Asked) -> Ints:
    inside = ~np.isnan(buckets.x_last[0])
    if asked.low is not None:
        inside &= buckets.x_high[0] >= asked.low
    if asked.high is not None:
        inside &= buckets.x_low[0] <= asked.high
    return np.flatnonzero(inside)


def _at_most(points: int, buckets: Buckets) -> Buckets:
    return buckets.merged(group_starts(len(buckets), max(1, -(-len(buckets) // points))))
