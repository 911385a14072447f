"""Lowest, middle and highest run of each side over the whole of them, and all of that at equal steps."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlmodel import Session

from dreamer_core.gates.baseline import Band, KeyStats
from dreamer_core.gates.baseline import Curve as Line
from dreamer_core.gates.capture import band_of as band_over
from dreamer_core.gates.series import Floats
from server.metrics.curves import Asked, Curve, read_curves
from server.tables import Run

_POINTS = 200  # of each run


class Shapes(NamedTuple):
    """Of one metric; None where there is nothing to draw."""

    baseline: Band | None
    sides: list[Band | None]  # in their order


def bands(session: Session, sides: Sequence[Sequence[Run]], keys: Sequence[str]) -> dict[str, list[Band | None]]:
    """Of each metric, one for each side. From their curves, which are short to read however long the runs are."""
    ids = list(dict.fromkeys(run.id for runs in sides for run in runs))
    curves = read_curves(session, Asked(runs=ids, keys=keys, points=_POINTS))
    drawn = {(curve.key, curve.run): line for curve in curves if len((line := _line(curve)).steps)}
    return {
        key: [_band([drawn[key, run.id] for run in runs if (key, run.id) in drawn]) for runs in sides] for key in keys
    }


def band_of(stats: KeyStats) -> Band | None:
    """That of a baseline's metric."""
    return stats.band or level_over(stats.curves) or _band(stats.curves[:1])


def level_over(lines: Sequence[Line]) -> Band | None:
    """Of evaluations, which are a point each and where their checkpoint was: a level, from the first to the last."""
    if len(lines) < 2 or any(len(line.steps) != 1 for line in lines):
        return None
    values = np.sort(np.concatenate([line.values for line in lines]))
    steps = np.sort(np.concatenate([line.steps for line in lines]))
    if not np.isfinite(steps).all():
        return None
    ends = np.unique(steps[[0, -1]])
    low, middle, high = (np.full(len(ends), values[place]) for place in (0, (len(values) - 1) // 2, -1))
    return Band(steps=ends, low=low, middle=middle, high=high)


def at_equal_steps(shapes: Sequence[Band | None], points: int) -> tuple[Floats, list[Band | None]]:
    """The steps of all of them, thinned to `points` with first and last, and each band there; NaN where it has none."""
    every = [shape.steps for shape in shapes if shape is not None]
    steps = np.unique(np.concatenate(every)) if every else np.empty(0)
    if len(steps) > points:
        steps = steps[np.unique(np.linspace(len(steps) - 1, 0, points).round().astype(int))]
    return steps, [None if shape is None else _at(shape, steps) for shape in shapes]


def _at(shape: Band, steps: Floats) -> Band:
    low, middle, high = (
        np.interp(steps, shape.steps, line, left=np.nan, right=np.nan) for line in (shape.low, shape.middle, shape.high)
    )
    return Band(steps=steps, low=low, middle=middle, high=high)


def _line(curve: Curve) -> Line:
    """What is not finite has no place in a picture."""
    steps, values = curve.buckets.x_last[0], curve.buckets.last
    kept = np.isfinite(values) & np.isfinite(steps)
    order = np.argsort(steps[kept], kind="stable")
    return Line(run=curve.run, steps=steps[kept][order], values=values[kept][order], is_thinned=True)


def _band(lines: Sequence[Line]) -> Band | None:
    """Of a single point, or of lines that share no step, the first alone: it is its own band."""
    shape = band_over(lines) or level_over(lines)
    if shape is not None or not lines or not np.isfinite(lines[0].steps).all():
        return shape
    first = lines[0]
    return Band(steps=first.steps, low=first.values, middle=first.values, high=first.values)
