"""How long until a level is reached, when some runs never reach it: Kaplan-Meier, restricted means, pseudo-values.

A run that did not reach the level says that it takes longer than the run lasted. It is censored, never dropped.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamer_core.gates.series import Flags, Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Waits:
    """One entry per run: the step where it reached the level, or its last step where it did not."""

    times: Floats
    reached: Flags


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalCurve:
    """The share of runs that have not reached the level, from each step on."""

    steps: Floats
    unsolved: Floats

    def median(self) -> float | None:
        """The first step by which half of the runs have reached it; None if that was not seen."""
        half = np.flatnonzero(self.unsolved <= 0.5 + 1e-12)
        return float(self.steps[half[0]]) if len(half) else None


def kaplan_meier(waits: Waits) -> SurvivalCurve:
    steps = np.unique(waits.times[waits.reached])
    at_risk = (waits.times[:, None] >= steps).sum(axis=0)
    events = ((waits.times[:, None] == steps) & waits.reached[:, None]).sum(axis=0)
    return SurvivalCurve(steps=steps, unsolved=np.cumprod(1.0 - events / np.maximum(at_risk, 1)))


def restricted_mean(waits: Waits, horizon: float) -> float:
    """The mean number of steps spent below the level, of the first `horizon`: the area under the curve."""
    curve = kaplan_meier(waits)
    inside = curve.steps < horizon
    edges = np.concatenate(([0.0], curve.steps[inside], [horizon]))
    heights = np.concatenate(([1.0], curve.unsolved[inside]))
    return float(heights @ np.diff(edges))


def pseudo_values(waits: Waits, horizon: float) -> Floats:
    """What each run contributes to the restricted mean: n times the whole less n - 1 times the rest without it.

    Where nobody is censored before the horizon, these are the plain waiting times, cut off at the horizon. At least
    two runs.
    """
    count = len(waits.times)
    whole = restricted_mean(waits, horizon)
    rest = np.array([restricted_mean(_without(waits, run), horizon) for run in range(count)])
    values: Floats = count * whole - (count - 1) * rest
    return values


def _without(waits: Waits, run: int) -> Waits:
    others: NDArray[np.bool_] = np.arange(len(waits.times)) != run
    return Waits(times=waits.times[others], reached=waits.reached[others])
