"""Two groups of seeds side by side: how far apart they are, and how sure that is.

Bootstrap: seeds are drawn again with replacement, task by task, and the interquartile mean (IQM) is taken of each draw.
With four or five seeds that is wrong more often than it says, so a claim needs a second witness: a permutation test on
the difference of the means, which is exact for any number of seeds. The p-value of a claim is the larger of the two.

Both are the same function of the sorted scores whenever they are called: equal numbers give equal p-values, the order
of the seeds does not matter, and a score that gets worse never makes a claim in its favour stronger.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dreamer_core.gates.series import Floats

Statistic = Literal["iqm", "mean"]

DRAWS = 4000  # of the bootstrap
MOST_SPLITS = 20_000  # up to here every split is looked at, beyond it PERMUTATIONS random ones
PERMUTATIONS = 10_000
_TIE = 1e-10  # sums that differ by less, relative to the largest score, are equal


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Differences point in the good direction: above zero, the candidate is better."""

    baseline: float  # the statistic of each side, in the metric's own unit
    candidate: float
    difference: float
    low: float  # each bound is one-sided at `alpha`
    high: float
    margin: float  # a loss up to this is accepted
    p_worse: float  # of "worse by more than the margin"
    p_not_worse: float  # of "not worse by more than the margin"
    p_better: float  # of "better"
    spread: float  # standard deviation over seeds, pooled over both sides
    n_baseline: int
    n_candidate: int
    alpha: float


def compare_scores(
    baseline: Sequence[Floats],
    candidate: Sequence[Floats],
    *,
    higher: bool,
    margin: float,
    alpha: float,
    statistic: Statistic = "iqm",
    rng_seed: int = 0,
) -> Comparison:
    """One array of finite scores per task on each side, the tasks in the same order, at least one score in each."""
    sign = 1.0 if higher else -1.0
    before = [np.sort(sign * scores) for scores in baseline]
    after = [np.sort(sign * scores) for scores in candidate]
    center_before, center_after = statistic_of(before, statistic), statistic_of(after, statistic)
    drawn = _bootstrap(after, statistic, (rng_seed, 1)) - _bootstrap(before, statistic, (rng_seed, 0))
    low, high = np.quantile(drawn, alpha, method="lower"), np.quantile(drawn, 1 - alpha, method="higher")
    shifted = [scores + margin for scores in after]
    return Comparison(
        baseline=sign * center_before,
        candidate=sign * center_after,
        difference=center_after - center_before,
        low=float(low),
        high=float(high),
        margin=margin,
        p_worse=max(_share(drawn >= -margin), _permuted(before, shifted, rng_seed, upwards=False)),
        p_not_worse=max(_share(drawn <= -margin), _permuted(before, shifted, rng_seed, upwards=True)),
        p_better=max(_share(drawn <= 0.0), _permuted(before, after, rng_seed, upwards=True)),
        spread=_pooled_spread([*before, *after]),
        n_baseline=sum(map(len, before)),
        n_candidate=sum(map(len, after)),
        alpha=alpha,
    )


def statistic_of(scores: Sequence[Floats], statistic: Statistic) -> float:
    """Of all scores of all tasks together."""
    return float(_middle_mean(np.sort(np.concatenate(scores)), statistic))


def _middle_mean(ordered: Floats, statistic: Statistic) -> Floats:
    """Along the last axis, from the smallest to the largest. The IQM leaves a quarter out at each end."""
    count = ordered.shape[-1]
    cut = count // 4 if statistic == "iqm" else 0
    mean: Floats = ordered[..., cut : count - cut].sum(axis=-1) / (count - 2 * cut)
    return mean


def _bootstrap(scores: Sequence[Floats], statistic: Statistic, stream: tuple[int, int]) -> Floats:
    drawn = np.concatenate(
        [task[_indices(len(task), (*stream, number))] for number, task in enumerate(scores)],
        axis=1,
    )
    if len(scores) > 1:  # of one task the draws are sorted already, because the indices are
        drawn = np.sort(drawn, axis=1)
    return _middle_mean(drawn, statistic)


@lru_cache(maxsize=32)
def _indices(count: int, stream: tuple[int, ...]) -> NDArray[np.intp]:
    rng = np.random.default_rng((*stream, count))
    return np.sort(rng.integers(0, count, (DRAWS, count)), axis=1).astype(np.intp)


def _share(hits: NDArray[np.bool_]) -> float:
    """Never zero: that nothing was drawn does not make it impossible."""
    return float((1 + np.count_nonzero(hits)) / (1 + len(hits)))


def _permuted(before: Sequence[Floats], after: Sequence[Floats], rng_seed: int, *, upwards: bool) -> float:
    """How often seeds dealt out at random to the two sides differ at least as much as they really do."""
    sizes = tuple((len(new), len(old)) for old, new in zip(before, after, strict=True))
    scale = max(float(np.abs(scores).max()) for scores in (*before, *after)) or 1.0
    differences = np.zeros(())
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        contrasts = _contrasts(sizes[number], len(sizes) == 1, (rng_seed, number))
        differences = differences + contrasts @ (np.concatenate((new, old)) / scale)
    real = differences[0]  # the first split is the real one
    hits = differences >= real - _TIE if upwards else differences <= real + _TIE
    return float(np.count_nonzero(hits) / len(hits))


@lru_cache(maxsize=16)  # a few megabytes each
def _contrasts(sizes: tuple[int, int], may_enumerate: bool, stream: tuple[int, int]) -> Floats:
    """Rows of +1/n for seeds dealt to the candidate and -1/m for the others. The first row is the real split."""
    after, before = sizes
    together = after + before
    if may_enumerate and math.comb(together, after) <= MOST_SPLITS:
        dealt = np.array(list(combinations(range(together), after)), dtype=np.intp)
    else:
        rng = np.random.default_rng((*stream, *sizes))
        dealt = np.argsort(rng.random((PERMUTATIONS, together)), axis=1)[:, :after]
        dealt[0] = np.arange(after)
    contrasts = np.full((len(dealt), together), -1.0 / before)
    np.put_along_axis(contrasts, dealt, 1.0 / after, axis=1)
    return contrasts


def _pooled_spread(scores: Sequence[Floats]) -> float:
    """NaN where no side has two seeds of a task."""
    freedom = sum(len(task) - 1 for task in scores)
    squares = sum(float(((task - task.mean()) ** 2).sum()) for task in scores)
    return math.sqrt(squares / freedom) if freedom else math.nan
