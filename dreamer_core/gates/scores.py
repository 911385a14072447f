"""One score per run on both sides of a comparison, measured in the same way on each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.capture import CURVE_POINTS
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.measure import mean_height, thin
from dreamer_core.gates.series import Floats, Series
from dreamer_core.gates.survival import pseudo_values
from dreamer_core.gates.waits import common_horizon, waits_of

Scores = dict[str, Floats]  # per task


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    baseline: Scores
    candidate: Scores
    what: str  # what was measured, in words


def baseline_curves(baseline: Baseline, key: str) -> list[tuple[Series, str]] | str:
    """Each run's curve and task, or why there is none."""
    stats = baseline.metrics.get(key)
    if stats is None or not stats.curves:
        return f"the baseline {baseline.title} holds no curve of it"
    tasks = {run.run: run.task for run in stats.runs}
    curves = [
        (Series(steps=curve.steps, values=curve.values, records=np.arange(len(curve.steps))), tasks.get(curve.run, ""))
        for curve in stats.curves
    ]
    if not all(series.is_finite for series, _ in curves):
        return f"the baseline {baseline.title} has values that are not finite in its curve"
    return curves


def candidate_curves(group: SeedGroup, key: str) -> list[tuple[Series, str]]:
    """Thinned as a baseline's are, so that equal runs give equal scores."""
    return [(thin(run.of(key), CURVE_POINTS), run.task) for run in group.runs]


def heights(before: Sequence[tuple[Series, str]], after: Sequence[tuple[Series, str]]) -> Sides | str:
    """Mean heights over the steps that all curves of both sides span."""
    every = [series for series, _ in (*before, *after)]
    if not all(np.isfinite(series.steps).all() for series in every):
        return "some records do not say at which step they are"
    low, high = max(float(one.steps[0]) for one in every), min(float(one.steps[-1]) for one in every)
    if not low < high:
        return "the curves have no two steps in common"
    scores = [
        grouped([task for _, task in side], [mean_height(series, low, high) for series, _ in side])
        for side in (before, after)
    ]
    return Sides(baseline=scores[0], candidate=scores[1], what=f"mean height over env steps {low:g}..{high:g}")


def steps_to(
    before: Sequence[tuple[Series, str]], after: Sequence[tuple[Series, str]], level: float, *, higher: bool
) -> Sides | str:
    """Steps until `level`, cut off where not both sides were watched any more; unsolved runs count as that long."""
    sides = [waits_of([series for series, _ in side], level, higher=higher) for side in (before, after)]
    if not all(np.isfinite(side.times).all() for side in sides):
        return "some records do not say at which step they are"
    if not any(side.reached.any() for side in sides):
        return f"no run of either side reached {level:g}"
    if any(len(side.times) < 2 for side in sides):
        return "steps to a level need two runs on each side"
    horizon = min(common_horizon(*sides), float(max(side.times.max() for side in sides)))
    scores = [
        grouped([task for _, task in side], pseudo_values(waits, horizon).tolist())
        for side, waits in zip((before, after), sides, strict=True)
    ]
    return Sides(baseline=scores[0], candidate=scores[1], what=f"env steps to {level:g}, of the first {horizon:g}")


def grouped(tasks: Sequence[str], scores: Sequence[float]) -> Scores:
    """Tasks in the order of their names, so that both sides agree on it."""
    return {
        name: np.array([score for score, task in zip(scores, tasks, strict=True) if task == name])
        for name in sorted(set(tasks))
    }
