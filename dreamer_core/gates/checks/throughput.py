"""Speed against speed: laps measured in pairs on one machine, a soft limit that warns and a hard one that fails."""

import math
from dataclasses import dataclass

import numpy as np

from dreamer_core.config.checks import above, at_least, within
from dreamer_core.errors import ConfigError
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.check import NO_DIRECTION, Check, Results, missing_from, non_finite_in, not_comparable
from dreamer_core.gates.comparable import differing_testbed
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.measure import lower_median
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Floats, Series
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, number, share

_Laps = dict[tuple[str, int | None, float], float]  # task, seed and step of each lap


@dataclass(frozen=True, kw_only=True)
class Throughput(Check):
    """The median of the ratios of paired laps, with exact bounds from their order: no machine's noise is normal.

    Laps are pairs if they are of the same seed at the same step. Measure both sides in turn, in one sitting.
    """

    keys: tuple[str, ...] = ("sps",)
    soft: float = 0.05  # a slowdown beyond this share warns
    hard: float = 0.15  # beyond this it fails
    alpha: float = 0.05
    n_min: int = 5  # pairs; of four, all slower is no rarer than one in sixteen

    kind = "throughput"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("keys", "must name at least one metric")
        above(0, soft=self.soft, hard=self.hard, alpha=self.alpha)
        within(0, 1, hard=self.hard)
        within(0, 0.5, alpha=self.alpha)
        at_least(1, n_min=self.n_min)
        if self.soft > self.hard:
            raise ConfigError("soft", f"must be at most hard, which is {self.hard}, got {self.soft}")

    @property
    def uses_baseline(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        return tuple(self._judge_key(evidence, key) for key in self.keys)

    def _judge_key(self, evidence: Evidence, key: str) -> Result:
        baseline, direction = evidence.baseline, evidence.direction(key)
        if direction == "info":
            return self.result(Verdict.ERROR, NO_DIRECTION, key=key)
        if bad := non_finite_in(evidence.candidate, key) or _standstill(evidence, key):
            return self.result(Verdict.FAIL, bad, key=key)
        problem = _not_paired(evidence) or missing_from(
            evidence.candidate, evidence.candidate, key, n_min=1, where="all records"
        )
        if baseline is None or problem:
            return self.no_data(problem, key=key)
        before, after = _laps_before(baseline, key), _laps_after(evidence, key)
        if isinstance(before, str):
            return self.no_data(before, key=key)
        pairs = sorted(before.keys() & after.keys(), key=str)
        if not pairs:
            return self.no_data("no lap of the candidate has a partner in the baseline: same seed, same step", key=key)
        ratios = np.array([after[pair] / before[pair] for pair in pairs])
        return self._judge_ratios(np.sort(ratios if direction == "higher" else 1.0 / ratios), key)

    def _judge_ratios(self, ratios: Floats, key: str) -> Result:
        """Sorted; above 1 is faster."""
        found = _bounds(ratios, self.alpha) if len(ratios) >= self.n_min else None
        middle = lower_median(ratios)
        if found is None:
            needs = max(self.n_min, math.ceil(-math.log2(self.alpha)))
            reason = f"{count(len(ratios), 'pair')} of laps, needs {needs}; the middle one runs at {number(middle)}"
            return self.result(Verdict.INCONCLUSIVE, reason, key=key, numbers={"n": len(ratios), "ratio": middle})
        low, high = found
        is_slow = middle < 1 - self.soft
        reason = (
            f"runs at {number(middle)} of the baseline's speed ({share(middle - 1)}), {1 - 2 * self.alpha:.0%} "
            f"interval {number(low)}..{number(high)}; warns below {number(1 - self.soft)}"
            f"{', as here' if is_slow else ''}, fails below {number(1 - self.hard)}; median of "
            f"{count(len(ratios), 'pair')} of laps on one testbed"
        )
        numbers = {
            "ratio": middle,
            "interval": [low, high],
            "soft": 1 - self.soft,
            "hard": 1 - self.hard,
            "ratios": ratios.tolist(),
        }
        verdict = self._verdict(low, high)
        return self.result(verdict, reason, key=key, numbers=numbers, warns=is_slow and verdict.is_green)

    def _verdict(self, low: float, high: float) -> Verdict:
        if high < 1 - self.hard:
            return Verdict.FAIL
        if low >= 1 - self.hard:
            return Verdict.IMPROVED if low > 1 + self.soft else Verdict.PASS
        return Verdict.INCONCLUSIVE


def _bounds(ratios: Floats, alpha: float) -> tuple[float, float] | None:
    """Of the median, each one-sided at alpha, from sorted values alone. None where no value is far enough out."""
    tail, inside = 0.5 ** len(ratios), 0
    while tail <= alpha:  # how probable it is that at most `inside` of the values are below the median
        inside += 1
        tail += math.comb(len(ratios), inside) * 0.5 ** len(ratios)
    return (float(ratios[inside - 1]), float(ratios[-inside])) if inside else None


def _not_paired(evidence: Evidence) -> str:
    """Stricter than for other speeds: here a testbed that nobody knows is a problem too."""
    problem = not_comparable(evidence)
    if evidence.baseline is None or problem:
        return problem
    differing = differing_testbed(evidence.baseline, evidence)
    if differing is None:
        return "not comparable: the testbed of one side is not known, and speed means nothing without it"
    return f"not comparable: speed on different testbeds, {differing}" if differing else ""


def _standstill(evidence: Evidence, key: str) -> str:
    for run in evidence.candidate.runs:
        if (run.of(key).values <= 0).any():
            return f"{run} has laps that are not above 0, the smallest {number(float(run.of(key).values.min()))}"
    return ""


def _laps_before(baseline: Baseline, key: str) -> _Laps | str:
    stats = baseline.metrics.get(key)
    if stats is None or not stats.curves:
        return f"the baseline {baseline.title} holds no laps of it"
    if any(curve.is_thinned for curve in stats.curves):
        return f"the baseline {baseline.title} holds only a thinned curve of it, which has no laps to pair"
    if not all(np.isfinite(curve.values).all() and (curve.values > 0).all() for curve in stats.curves):
        return f"the baseline {baseline.title} has laps that are not finite numbers above 0"
    seeds = {run.run: (run.task, run.seed) for run in stats.runs}
    laps: _Laps = {}
    for curve in stats.curves:
        task, seed = seeds[curve.run]
        series = Series(steps=curve.steps, values=curve.values, records=np.arange(len(curve.steps)))
        laps |= _laps(series, task, seed if len(stats.curves) > 1 else None)
    return laps


def _laps_after(evidence: Evidence, key: str) -> _Laps:
    laps: _Laps = {}
    for run in evidence.candidate.runs:
        laps |= _laps(run.of(key), run.task, run.seed if len(evidence.candidate.runs) > 1 else None)
    return laps


def _laps(series: Series, task: str, seed: int | None) -> _Laps:
    """Where records do not say their step, laps are paired by their place."""
    places = series.steps if np.isfinite(series.steps).all() else np.arange(len(series), dtype=np.float64)
    return {(task, seed, float(place)): float(value) for place, value in zip(places, series.values, strict=True)}
