"""A loss comes down quickly: enough of a drop in the first updates, and a trend that a few wild values do not make."""

from dataclasses import dataclass

import numpy as np

from dreamer_core.config.checks import above, at_least
from dreamer_core.gates.check import NO_DIRECTION, Check, Results, missing_from, non_finite_in
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import RunNumbers, SeedGroup
from dreamer_core.gates.measure import lower_median, thin
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Floats, Series
from dreamer_core.gates.trend import Trend, trend_of
from dreamer_core.gates.verdict import Verdict, combine
from dreamer_core.gates.words import count, number, share

_MOST_POINTS = 200  # of the trend, whose cost grows with the square
_PART = 10  # the first and the last tenth are held against each other


@dataclass(frozen=True, kw_only=True)
class Improves(Check):
    """The median of the last tenth against that of the first, Theil-Sen's slope and Mann-Kendall's test."""

    key: str = "Loss/observation_loss"
    min_drop: float = 0.25  # as a share of where it began; for a metric that is better high, the rise
    first_updates: int | None = None  # only records up to this many optimizer updates
    p: float = 0.01  # of the trend
    n_min: int = 8

    kind = "improves"

    def __post_init__(self) -> None:
        above(0, min_drop=self.min_drop, p=self.p)
        at_least(1, first_updates=1 if self.first_updates is None else self.first_updates)
        at_least(5, n_min=self.n_min)

    @property
    def is_for_every_run(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        direction = evidence.direction(self.key)
        if direction == "info":
            return (self.result(Verdict.ERROR, NO_DIRECTION, key=self.key),)
        seen, where = self._early(evidence.candidate)
        if bad := non_finite_in(seen, self.key):
            return (self.result(Verdict.FAIL, bad, key=self.key),)
        if problem := missing_from(seen, evidence.candidate, self.key, n_min=self.n_min, where=where):
            return (self.no_data(problem, key=self.key),)
        judged = [self._judge_run(run, where, 1.0 if direction == "lower" else -1.0) for run in seen.runs]
        verdict = combine(result.verdict for result in judged)
        worst = [result for result in judged if result.verdict is verdict]
        return (min(worst, key=lambda result: float(result.numbers.get("drop", 0.0))),)

    def _early(self, group: SeedGroup) -> tuple[SeedGroup, str]:
        if self.first_updates is None:
            return group, "all records"
        runs = tuple(_up_to(run, self.key, self.first_updates) for run in group.runs)
        return SeedGroup(runs=runs, input_kind=group.input_kind), f"the first {self.first_updates} updates"

    def _judge_run(self, run: RunNumbers, where: str, sign: float) -> Result:
        series = thin(run.of(self.key), _MOST_POINTS)
        values: Floats = sign * series.values
        part = max(1, len(values) // _PART)
        first, last = lower_median(values[:part]), lower_median(values[-part:])
        if first == 0:
            return self.no_data(f"{run} begins at 0, so there is no share of it to drop by; {where}", key=self.key)
        drop, trend = (first - last) / abs(first), trend_of(np.arange(len(values), dtype=np.float64), values)
        verb = "dropped" if sign > 0 else "rose"
        reason = (
            f"{verb} {share(drop)} from {number(sign * first)} to {number(sign * last)}, needs {share(self.min_drop)}; "
            f"Theil-Sen slope {number(sign * trend.slope)} per point, Mann-Kendall p {number(trend.p_down)}, needs "
            f"{number(self.p)}; {count(len(values), 'point')} of {run}, {where}"
        )
        numbers = {
            "run": run.name,
            "first": sign * first,
            "last": sign * last,
            "drop": drop,
            "min_drop": self.min_drop,
            "slope": sign * trend.slope,
            "p": trend.p_down,
            "n": len(values),
        }
        return self.result(self._verdict(drop, trend), reason, key=self.key, numbers=numbers)

    def _verdict(self, drop: float, trend: Trend) -> Verdict:
        if not drop >= self.min_drop:
            return Verdict.FAIL
        return Verdict.PASS if trend.slope < 0 and trend.p_down <= self.p else Verdict.INCONCLUSIVE


def _up_to(run: RunNumbers, key: str, updates: int) -> RunNumbers:
    """Records whose `train_steps` is not above `updates`; none if it is not recorded."""
    counted, series = run.of("train_steps"), run.of(key)
    early = np.isin(series.records, counted.records[counted.values <= updates])
    kept = Series(steps=series.steps[early], values=series.values[early], records=series.records[early])
    return RunNumbers(name=run.name, series={key: kept}, record_steps=run.record_steps, seed=run.seed, facts=run.facts)
