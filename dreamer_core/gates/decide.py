"""From p-values to a verdict: what is claimed when, what many metrics at once cost, and how many seeds would decide."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from dreamer_core.gates.resample import Comparison
from dreamer_core.gates.verdict import Verdict

MIN_SEEDS = 4  # on each side; of three against three no split is rarer than 1 in 20
POWER = 0.8  # how probable a decision should be with the number of seeds that is named
MOST_SEEDS = 1000  # beyond this the number is of no use
_IQM_COST = 1.2  # the variance of normal scores' IQM, as a multiple of their mean's


def decide(comparison: Comparison, *, p_worse: float, p_better: float) -> Verdict:
    """`p_worse` and `p_better` are those of the comparison, corrected for the metrics judged with it.

    Not to be worse must hold for every metric of a gate, so it needs no correction: more metrics make it harder.
    """
    if p_worse <= comparison.alpha:
        return Verdict.FAIL
    if comparison.p_not_worse <= comparison.alpha:
        return Verdict.IMPROVED if p_better <= comparison.alpha else Verdict.PASS
    return Verdict.INCONCLUSIVE


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the chance of any false claim among all of them stays below alpha."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, position in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[position]))
        corrected[position] = largest
    return corrected


def fewest_seeds(alpha: float, claims: int = 1) -> int:
    """Below this many on each side no outcome at all is rare enough."""
    count = MIN_SEEDS
    while claims / math.comb(2 * count, count) > alpha:
        count += 1
    return count


def advice(comparison: Comparison, claims: int = 1) -> str:
    """How many seeds to run, in words."""
    needed = seeds_to_decide(comparison, claims)
    if needed is None:
        return f"so near the margin, more than {MOST_SEEDS} seeds on each side would be needed to decide it"
    return f"{needed} seeds on each side would decide it"


def seeds_to_decide(comparison: Comparison, claims: int = 1) -> int | None:
    """Seeds on each side with which the difference seen would be decided four times out of five. None: too many.

    The normal approximation of the two-sample test, with the spread seen so far, which few seeds tend to
    underestimate. A spread of zero, or of one seed, says nothing: then it is the fewest that can decide at all.
    """
    fewest = fewest_seeds(comparison.alpha, claims)
    distance, spread = abs(comparison.difference + comparison.margin), comparison.spread
    if not spread > 0:
        return fewest
    if not distance > 0:
        return None
    normal = NormalDist()
    sigmas = normal.inv_cdf(1 - comparison.alpha / claims) + normal.inv_cdf(POWER)
    needed = 2 * _IQM_COST * (sigmas * spread / distance) ** 2
    return None if not needed <= MOST_SEEDS else max(fewest, math.ceil(needed))
