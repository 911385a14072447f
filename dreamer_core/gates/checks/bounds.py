"""A metric stays above a floor or below a ceiling, whatever any baseline says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from dreamer_core.config.checks import at_least
from dreamer_core.errors import ConfigError
from dreamer_core.gates.check import NOT_GIVEN, Check, Results, missing_from, must_be_given, non_finite_in
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.measure import lower_median, upper_median
from dreamer_core.gates.series import Floats, Window
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, number

Statistic = Literal["median", "mean", "min", "max", "last"]


@dataclass(frozen=True, kw_only=True)
class _Bound(Check):
    key: str = ""
    value: float = NOT_GIVEN
    strict: bool = False  # the bound itself is not good enough
    of: Statistic = "median"  # of each run's values in the window
    across: Literal["every", "median"] = "every"  # every run, or the middle one
    n_min: int = 1
    window: Window = field(default_factory=Window)

    sign = 1.0  # of what is better

    def __post_init__(self) -> None:
        if not self.key:
            raise ConfigError("key", "must name a metric")
        must_be_given(value=self.value)
        at_least(1, n_min=self.n_min)

    @property
    def is_for_every_run(self) -> bool:
        return self.across == "every"

    def judge(self, evidence: Evidence) -> Results:
        seen = evidence.candidate.within(self.window, (self.key,))
        if bad := non_finite_in(seen, self.key):
            return (self.result(Verdict.FAIL, bad, key=self.key),)
        if problem := missing_from(seen, evidence.candidate, self.key, n_min=self.n_min, where=str(self.window)):
            return (self.no_data(problem, key=self.key),)
        per_run = {run.name: self._statistic(run.of(self.key).values) for run in seen.runs}
        found = self._across(np.array(list(per_run.values())))
        gap = self.sign * (found - self.value)
        is_good = gap > 0 or (gap == 0 and not self.strict)
        asked = ("above" if self.strict else "at least") if self.sign > 0 else ("below" if self.strict else "at most")
        whose = "worst" if self.across == "every" else "middle"
        reason = (
            f"{number(found)}, must be {asked} {number(self.value)}; {self.of} of {self.window}, "
            f"{whose} of {count(len(per_run), 'run')}"
        )
        numbers = {"found": found, "bound": self.value, "strict": self.strict, "per_run": per_run}
        return (self.result(Verdict.PASS if is_good else Verdict.FAIL, reason, key=self.key, numbers=numbers),)

    def _statistic(self, values: Floats) -> float:
        if self.of == "median":
            return lower_median(values) if self.sign > 0 else upper_median(values)
        return _OTHERS[self.of](values)

    def _across(self, found: Floats) -> float:
        if self.across == "median":
            return lower_median(found) if self.sign > 0 else upper_median(found)
        return float(found.min() if self.sign > 0 else found.max())


@dataclass(frozen=True, kw_only=True)
class Floor(_Bound):
    """Medians are lower medians: where two are in the middle, the worse one counts."""

    kind = "floor"


@dataclass(frozen=True, kw_only=True)
class Ceiling(_Bound):
    """Medians are upper medians: where two are in the middle, the worse one counts."""

    kind = "ceiling"
    sign = -1.0


_OTHERS: dict[Statistic, Callable[[Floats], float]] = {
    "mean": lambda values: float(values.mean()),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "last": lambda values: float(values[-1]),
}
