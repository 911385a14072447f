"""One number out of one series: what a run scored, by its window, its area or the steps it took."""

import math

import numpy as np

from dreamer_core.gates.series import Floats, Series


def lower_median(values: Floats) -> float:
    """The middle value, or the lower of the two in the middle: always a value that was really recorded."""
    middle = (len(values) - 1) // 2
    return float(np.partition(values, middle)[middle])


def upper_median(values: Floats) -> float:
    return -lower_median(-values)


def deviation(values: Floats, center: float) -> float:
    """The lower median of the distances from `center`."""
    return lower_median(np.abs(values - center))


def mean_height(series: Series, low: float, high: float) -> float:
    """The area under the curve between two steps, over their distance. NaN where the curve does not span them."""
    steps, values = series.steps, series.values
    if len(steps) < 2 or not steps[0] <= low < high <= steps[-1]:
        return math.nan
    inside = (steps > low) & (steps < high)
    ends = np.interp((low, high), steps, values)
    grid = np.concatenate(([low], steps[inside], [high]))
    heights = np.concatenate((ends[:1], values[inside], ends[1:]))
    return float(((heights[1:] + heights[:-1]) / 2 * np.diff(grid)).sum() / (high - low))


def first_reach(series: Series, level: float, *, higher: bool) -> int | None:
    """Where the series first is at `level` or beyond it."""
    reached = np.flatnonzero(series.values >= level if higher else series.values <= level)
    return int(reached[0]) if len(reached) else None


def thin(series: Series, points: int) -> Series:
    """At most `points` values: the lower median of each stretch, at the step where the stretch ends; NaN stays seen."""
    count = len(series)
    if count <= points:
        return series
    size = -(-count // points)
    whole = count // size
    rows = series.values[: whole * size].reshape(whole, size)
    middle = (size - 1) // 2
    values = np.where(np.isfinite(rows).all(axis=1), np.partition(rows, middle, axis=1)[:, middle], math.nan)
    ends = np.arange(whole) * size + size - 1
    if rest := count - whole * size:
        values = np.append(values, _middle(series.values[-rest:]))
        ends = np.append(ends, count - 1)
    return Series(steps=series.steps[ends], values=values, records=series.records[ends])


def _middle(values: Floats) -> float:
    return lower_median(values) if np.isfinite(values).all() else math.nan
