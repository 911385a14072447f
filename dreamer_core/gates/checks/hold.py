"""What was reached is kept: after a run first gets to a level, even its worst evaluations stay above another.

The median of a window does not see a policy that solves the task and then forgets it half of the time. This does.
"""

import math
from dataclasses import dataclass

import numpy as np

from dreamer_core.config.checks import above, at_least, within
from dreamer_core.errors import ConfigError
from dreamer_core.gates.check import (
    NO_DIRECTION,
    NOT_GIVEN,
    Check,
    Results,
    missing_from,
    must_be_given,
    non_finite_in,
    stepless_in,
)
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import RunNumbers
from dreamer_core.gates.measure import first_reach
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Floats, Series
from dreamer_core.gates.verdict import Verdict, combine
from dreamer_core.gates.words import count, number, some


@dataclass(frozen=True, kw_only=True)
class Hold(Check):
    """Every run must hold. One that never gets there has failed; one with too little after it is inconclusive.

    What counts comes after the level was first reached: a run that gets there late is not asked about what went before.
    With `by_env_steps` it comes after that step, for all runs alike, and a worse run can never fare better.
    """

    key: str = "eval/mean_return"
    level: float = NOT_GIVEN  # to be reached
    keep: float = NOT_GIVEN  # not to be lost again
    quantile: float = 0.0  # which evaluations `keep` is about: 0 the very worst, 0.05 the worst but one in twenty
    misses: int | None = None  # how many evaluations may fall below `level`; None: any number, if above `keep`
    by_env_steps: float | None = None  # the level must be reached by then, and held from then on
    for_env_steps: float | None = None  # how long it is to hold; None: to the end
    n_min: int = 5  # evaluations that count

    kind = "hold"

    def __post_init__(self) -> None:
        must_be_given(level=self.level, keep=self.keep)
        within(0, 1, quantile=self.quantile)
        at_least(0, misses=self.misses or 0)
        at_least(1, n_min=self.n_min)
        above(0, by_env_steps=1 if self.by_env_steps is None else self.by_env_steps)
        above(0, for_env_steps=1 if self.for_env_steps is None else self.for_env_steps)

    @property
    def is_for_every_run(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        direction, seen = evidence.direction(self.key), evidence.candidate
        if direction == "info":
            return (self.result(Verdict.ERROR, NO_DIRECTION, key=self.key),)
        if bad := non_finite_in(seen, self.key):
            return (self.result(Verdict.FAIL, bad, key=self.key),)
        if problem := missing_from(seen, seen, self.key, n_min=1, where="all records") or stepless_in(seen, self.key):
            return (self.no_data(problem, key=self.key),)
        sign = 1.0 if direction == "higher" else -1.0
        if sign * self.keep > sign * self.level:
            raise ConfigError("keep", f"must not be beyond level, which is {self.level:g}, got {self.keep:g}")
        return (self._together([self._judge_run(run, sign) for run in seen.runs]),)

    def _judge_run(self, run: RunNumbers, sign: float) -> Result:
        series = run.of(self.key)
        at = first_reach(series, self.level, higher=sign > 0)
        by = math.inf if self.by_env_steps is None else self.by_env_steps
        if at is None or not _step(series, at) <= by:
            best = float((sign * series.values).max() * sign)
            late = "never reached" if at is None else f"reached at env step {number(_step(series, at))}, not by {by:g}:"
            reason = f"{late} {number(self.level)}, best {number(best)} in {count(len(series), 'evaluation')} of {run}"
            return self.result(Verdict.FAIL, reason, numbers={"run": run.name, "reached": None, "best": best})
        return self._judge_after(run, series, at, sign)

    def _judge_after(self, run: RunNumbers, series: Series, at: int, sign: float) -> Result:
        reached = _step(series, at)
        start = reached if self.by_env_steps is None else self.by_env_steps
        end = math.inf if self.for_env_steps is None else start + self.for_env_steps
        later = series.steps > start if self.by_env_steps is not None else np.arange(len(series)) > at
        places = np.flatnonzero(later & (series.steps <= end))
        values: Floats = sign * series.values[places]
        numbers = {"run": run.name, "reached": reached, "n": len(values), "level": self.level, "keep": self.keep}
        facts = (
            f"{count(len(values), 'evaluation')} of {run} after env step {number(start)}, "
            f"{number(self.level)} reached at {number(reached)}"
        )
        if not len(values):
            return self.result(Verdict.INCONCLUSIVE, f"{facts}, needs {self.n_min}", numbers=numbers)
        worst = float(np.sort(values)[int(self.quantile * (len(values) - 1))])
        where = _step(series, int(places[np.flatnonzero(values == worst)[0]]))
        missed = int((values < sign * self.level).sum())
        numbers |= {"worst": sign * worst, "worst_step": where, "missed": missed}
        reason = (
            f"worst {number(sign * worst)} at env step {number(where)}, must keep {number(self.keep)}; "
            f"{missed} short of the level{'' if self.misses is None else f', allowed {self.misses}'}; {facts}"
        )
        if worst < sign * self.keep or (self.misses is not None and missed > self.misses):
            return self.result(Verdict.FAIL, reason, numbers=numbers)
        if len(values) < self.n_min or (math.isfinite(end) and _step(series, len(series) - 1) < end):
            asked = "" if math.isinf(end) else f" and up to env step {number(end)}"
            return self.result(Verdict.INCONCLUSIVE, f"{reason}; needs {self.n_min}{asked}", numbers=numbers)
        return self.result(Verdict.PASS, reason, numbers=numbers)

    def _together(self, judged: list[Result]) -> Result:
        verdict = combine(result.verdict for result in judged)
        worst = next(result for result in judged if result.verdict is verdict)
        held = [result for result in judged if result.verdict is Verdict.PASS]
        lost = [str(result.numbers["run"]) for result in judged if result.verdict is not Verdict.PASS]
        bound = _sure_share(len(held), len(judged))
        reason = (
            f"{len(held)} of {count(len(judged), 'run')} held (95 % sure that at least {bound:.0%} of seeds do)"
            f"{f', not {some(lost)}' if lost else ''}: {worst.reason}"
        )
        numbers = {"held": len(held), "runs": [dict(result.numbers) for result in judged], "sure_share": bound}
        return self.result(verdict, reason, key=self.key, numbers=numbers)


def _step(series: Series, position: int) -> float:
    return float(series.steps[position])


def _sure_share(held: int, runs: int, alpha: float = 0.05) -> float:
    """The smallest share of seeds that hold with which so many of so many would not be a surprise, one-sided.

    Exact where all hold: ten out of ten prove 74 %. Otherwise Wilson's bound.
    """
    if held == runs:
        return float(alpha ** (1 / runs))
    z, share = 1.6448536269514722, held / runs
    middle = share + z * z / (2 * runs)
    width = z * float(np.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs)))
    return max(0.0, (middle - width) / (1 + z * z / runs))
