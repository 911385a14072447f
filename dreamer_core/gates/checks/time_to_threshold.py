"""How many steps until a level is reached, by Kaplan-Meier: runs that never got there are censored, never dropped."""

from dataclasses import dataclass

import numpy as np

from dreamer_core.config.checks import above, at_most, within
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.check import (
    NO_DIRECTION,
    NOT_GIVEN,
    Check,
    Results,
    missing_from,
    must_be_given,
    non_finite_in,
    not_comparable,
    repeated_seed,
    stepless_in,
)
from dreamer_core.gates.decide import MIN_SEEDS, decide, fewest_seeds
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.resample import compare_scores
from dreamer_core.gates.result import Result
from dreamer_core.gates.scores import baseline_curves, candidate_curves
from dreamer_core.gates.survival import Waits, kaplan_meier, pseudo_values
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.waits import common_horizon, waits_of
from dreamer_core.gates.words import count, number, share


@dataclass(frozen=True, kw_only=True)
class TimeToThreshold(Check):
    """With `by_env_steps`: enough runs are there by then. Without: not slower than the baseline on average."""

    key: str = "eval/mean_return"
    level: float = NOT_GIVEN
    by_env_steps: float | None = None
    min_solved: float = 1.0  # share of the runs, with by_env_steps
    margin_pct: float = 0.2  # this much longer than the baseline is accepted
    alpha: float = 0.05

    kind = "time_to_threshold"

    def __post_init__(self) -> None:
        must_be_given(level=self.level)
        above(0, by_env_steps=1 if self.by_env_steps is None else self.by_env_steps)
        above(0, min_solved=self.min_solved, margin_pct=self.margin_pct, alpha=self.alpha)
        at_most(1, min_solved=self.min_solved)
        within(0, 0.5, alpha=self.alpha)

    @property
    def uses_baseline(self) -> bool:
        return self.by_env_steps is None

    def judge(self, evidence: Evidence) -> Results:
        direction, seen = evidence.direction(self.key), evidence.candidate
        if direction == "info":
            return (self.result(Verdict.ERROR, NO_DIRECTION, key=self.key),)
        if bad := non_finite_in(seen, self.key):
            return (self.result(Verdict.FAIL, bad, key=self.key),)
        if problem := missing_from(seen, seen, self.key, n_min=1, where="all records") or stepless_in(seen, self.key):
            return (self.no_data(problem, key=self.key),)
        higher = direction == "higher"
        if self.by_env_steps is not None:
            whole = waits_of([run.of(self.key) for run in seen.runs], self.level, higher=higher)
            return (self._by(whole, self.by_env_steps),)
        thinned = [curve for curve, _ in candidate_curves(seen, self.key)]
        return (self._against(evidence, waits_of(thinned, self.level, higher=higher), higher=higher),)

    def _by(self, waits: Waits, by: float) -> Result:
        runs = len(waits.times)
        solved = int((waits.reached & (waits.times <= by)).sum())
        open_ = int((~waits.reached & (waits.times < by)).sum())
        reason = (
            f"{solved} of {count(runs, 'run')} reached {number(self.level)} by env step {number(by)}, needs "
            f"{self.min_solved:.0%}; {open_} ended before that step without it; {_steps_of(waits)}"
        )
        numbers = {"solved": solved, "open": open_, **_drawing("candidate", waits)}
        if solved >= self.min_solved * runs:
            return self.result(Verdict.PASS, reason, key=self.key, numbers=numbers)
        verdict = Verdict.FAIL if solved + open_ < self.min_solved * runs else Verdict.INCONCLUSIVE
        return self.result(verdict, reason, key=self.key, numbers=numbers)

    def _against(self, evidence: Evidence, after: Waits, *, higher: bool) -> Result:
        problem = not_comparable(evidence, self.key) or repeated_seed(evidence)
        if evidence.baseline is None or problem:
            return self.no_data(problem, key=self.key)
        before = self._waits_of(evidence.baseline, higher=higher)
        if isinstance(before, str):
            return self.no_data(before, key=self.key)
        sides = f"baseline {_steps_of(before)}; candidate {_steps_of(after)}"
        numbers = {**_drawing("baseline", before), **_drawing("candidate", after), "level": self.level}
        if not (before.reached.any() or after.reached.any()):
            reason = f"no run of either side reached {number(self.level)}: {sides}"
            return self.no_data(reason, key=self.key, numbers=numbers)
        if min(len(before.times), len(after.times)) < MIN_SEEDS:
            reason = f"needs {fewest_seeds(self.alpha)} seeds on each side: {sides}"
            return self.result(Verdict.INCONCLUSIVE, reason, key=self.key, numbers=numbers)
        return self._compare(before, after, sides, numbers)

    def _waits_of(self, baseline: Baseline, *, higher: bool) -> Waits | str:
        curves = baseline_curves(baseline, self.key)
        if isinstance(curves, str):
            return curves
        waits = waits_of([curve for curve, _ in curves], self.level, higher=higher)
        return waits if np.isfinite(waits.times).all() else "the baseline's curves do not say their steps"

    def _compare(self, before: Waits, after: Waits, sides: str, numbers: dict[str, object]) -> Result:
        horizon = min(common_horizon(before, after), float(max(before.times.max(), after.times.max())))
        if not horizon > 0:
            return self.no_data(f"nothing was watched longer than 0 steps: {sides}", key=self.key, numbers=numbers)
        old, new = pseudo_values(before, horizon), pseudo_values(after, horizon)
        margin = self.margin_pct * float(old.mean())
        found = compare_scores([old], [new], higher=False, margin=margin, alpha=self.alpha, statistic="mean")
        reason = (
            f"mean steps below {number(self.level)} in the first {number(horizon)}: {number(found.baseline)} -> "
            f"{number(found.candidate)} ({share(-found.difference / found.baseline if found.baseline else 0.0)}), "
            f"{1 - 2 * self.alpha:.0%} interval of the slowdown {number(-found.high)}..{number(-found.low)}, "
            f"accepted {number(margin)}; {sides}"
        )
        numbers = {**numbers, "horizon": horizon}
        verdict = decide(found, p_worse=found.p_worse, p_better=found.p_better)
        return self.result(verdict, reason, key=self.key, numbers=numbers, comparison=found)


def _steps_of(waits: Waits) -> str:
    solved, median = int(waits.reached.sum()), kaplan_meier(waits).median()
    half = "not half of them" if median is None else f"half by env step {number(median)}"
    return f"{solved} of {count(len(waits.times), 'run')} solved, {half}"


def _drawing(side: str, waits: Waits) -> dict[str, object]:
    curve = kaplan_meier(waits)
    return {
        f"{side}_steps": curve.steps.tolist(),
        f"{side}_unsolved": curve.unsolved.tolist(),
        f"{side}_censored": waits.times[~waits.reached].tolist(),
        f"{side}_median": curve.median(),
    }
