"""Updates per environment step are what the config says, over the window and not since the beginning of time."""

import math
from dataclasses import dataclass, field

import numpy as np

from dreamer_core.config.checks import above, at_least
from dreamer_core.gates.check import Check, Results, missing_from, non_finite_in
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import RunNumbers
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Series, Window
from dreamer_core.gates.verdict import Verdict, combine
from dreamer_core.gates.words import count, number, share

_RATIO, _TARGET = "replay_ratio", "replay_ratio_target"
_FEWEST = 2  # the first record says what happened before the window


@dataclass(frozen=True, kw_only=True)
class ReplayRatio(Check):
    """The recorded ratios, each weighted with the steps since the record before; the run furthest off counts.

    Updates are whole: over a short window, being off by less than one of them is not being off.
    """

    tolerance: float = 0.02  # a share of the target
    target: float | None = None  # None: `replay_ratio_target` as recorded
    window: Window = field(default_factory=Window)

    kind = "replay_ratio"

    def __post_init__(self) -> None:
        above(0, tolerance=self.tolerance)
        at_least(0, target=self.target or 0.0)

    @property
    def is_for_every_run(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        seen = evidence.candidate.within(self.window, (_RATIO, _TARGET))
        if bad := non_finite_in(seen, _RATIO):
            return (self.result(Verdict.FAIL, bad, key=_RATIO),)
        if problem := missing_from(seen, evidence.candidate, _RATIO, n_min=_FEWEST, where=str(self.window)):
            return (self.no_data(problem, key=_RATIO),)
        judged = [self._judge_run(run) for run in seen.runs]
        worst = combine(result.verdict for _, result in judged)
        return (max((one for one in judged if one[1].verdict is worst), key=lambda one: one[0])[1],)

    def _judge_run(self, run: RunNumbers) -> tuple[float, Result]:
        target, (ratio, steps) = self._target_of(run), _over_window(run.of(_RATIO))
        if target is None or not math.isfinite(target):
            return 0.0, self.no_data(f"{run} does not record {_TARGET}, and the gate names no target", key=_RATIO)
        if not steps > 0:
            return 0.0, self.no_data(f"{run} does not say at which steps its records are", key=_RATIO)
        missing = (ratio - target) * steps
        off = ratio / target - 1 if target else (math.inf if ratio else 0.0)
        reason = (
            f"{number(ratio)} updates per step, target {number(target)} ({share(off)}, {number(missing)} updates), "
            f"allowed {self.tolerance:.1%}; over {number(steps)} env steps, "
            f"{count(len(run.of(_RATIO)), 'record')} of {run} in {self.window}"
        )
        numbers = {"run": run.name, "ratio": ratio, "target": target, "off": off, "tolerance": self.tolerance}
        verdict = Verdict.PASS if abs(off) <= self.tolerance or abs(missing) < 1 else Verdict.FAIL
        return abs(off), self.result(verdict, reason, key=_RATIO, numbers=numbers)

    def _target_of(self, run: RunNumbers) -> float | None:
        """On average over the window, where it falls."""
        if self.target is not None:
            return self.target
        recorded = run.of(_TARGET)
        if not len(recorded) or (recorded.values == recorded.values[-1]).all():
            return float(recorded.values[-1]) if len(recorded) else None
        return _over_window(recorded)[0]


def _over_window(series: Series) -> tuple[float, float]:
    """The ratio, and over how many steps; NaN where no step lies between the first and the last record."""
    steps = np.diff(series.steps)
    covered = float(steps.sum())
    return (float(series.values[1:] @ steps / covered), covered) if covered > 0 else (math.nan, math.nan)
