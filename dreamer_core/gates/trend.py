"""Does a series go down or up, said so that a few wild values do not matter: Theil-Sen and Mann-Kendall."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from dreamer_core.gates.series import Floats


@dataclass(frozen=True, kw_only=True)
class Trend:
    slope: float  # the median of the slopes of all pairs, per unit of x
    p_down: float  # one-sided: how often a series without trend goes down this much
    p_up: float


def trend_of(x: Floats, y: Floats) -> Trend:
    """At least two finite points with growing x. Thin long series first: the pairs grow with the square."""
    first, second = np.triu_indices(len(x), k=1)
    rises = y[second] - y[first]
    slopes = rises / (x[second] - x[first])
    score = int(np.sign(rises).sum())
    return Trend(slope=float(np.median(slopes)), p_down=_tail(-score, len(x)), p_up=_tail(score, len(x)))


def _tail(score: int, count: int) -> float:
    """Of the normal approximation. Ties are not credited with less variance, so that they never add certainty."""
    variance = count * (count - 1) * (2 * count + 5) / 18
    return NormalDist().cdf(-(score - 1) / math.sqrt(variance))
