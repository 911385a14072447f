"""The middle of a window stays within a share of the baseline's: the oldest gate, with a direction for every metric."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from dreamer_core.config.checks import at_least, within
from dreamer_core.gates.baseline import FEWEST_RECORDS, Baseline
from dreamer_core.gates.check import Check, Results, missing_from, non_finite_in, not_comparable
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import SeedGroup, matching
from dreamer_core.gates.measure import lower_median
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, number, share
from dreamer_core.metrics.names import Direction

_BETTER = {"lower": "lower is better", "higher": "higher is better", "info": "either way counts"}


@dataclass(frozen=True, kw_only=True)
class ThresholdMedian(Check):
    """Lower medians over a window, then over seeds. A metric that is better neither way may not move either way."""

    keys: tuple[str, ...] = ()  # names or patterns; none: every metric of the baseline
    threshold_pct: float | None = None  # a share, 0.15 is 15 %; None: as the baseline says
    abs_tol: float | None = None  # a difference up to this never counts; None: as the baseline says
    n_min: int | None = None  # values per run; None: 3, and 1 of a summary, which is a statistic already
    two_sided: bool = False  # any change counts, also for the better
    window: Window = field(default_factory=Window)  # its `last`; the steps are always the baseline's

    kind = "threshold_median"

    def __post_init__(self) -> None:
        within(0, math.inf, threshold_pct=self.threshold_pct or 0.0, abs_tol=self.abs_tol or 0.0)
        at_least(1, n_min=1 if self.n_min is None else self.n_min)

    @property
    def uses_baseline(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        problem = not_comparable(evidence)
        if evidence.baseline is None or problem:
            return (self.no_data(problem),)
        keys = matching(evidence.baseline.keys, self.keys or ("*",))
        if not keys:
            return (self.no_data(f"the baseline {evidence.baseline.title} has none of the metrics asked for"),)
        window = self._window_of(evidence.baseline)
        seen = evidence.candidate.within(window, keys)
        return tuple(self._judge_key(evidence, evidence.baseline, seen, key, window) for key in keys)

    def _window_of(self, baseline: Baseline) -> Window:
        """Matching steps, then the last few of them."""
        steps = baseline.window if baseline.input_kind == "jsonl" else Window()
        return replace(steps, last=self.window.last)

    def _judge_key(self, evidence: Evidence, baseline: Baseline, seen: SeedGroup, key: str, window: Window) -> Result:
        n_min = self.n_min or (1 if seen.input_kind == "json" else FEWEST_RECORDS)
        if bad := non_finite_in(seen, key):
            return self.result(Verdict.FAIL, f"{bad}, in {window}", key=key, numbers={"non_finite": True})
        if key not in baseline.metrics:
            reason = f"the baseline {baseline.title} does not have it"
            return self.no_data(reason, key=key, numbers={"baseline": None, "missing": True})
        before = baseline.metrics[key].median
        if problem := missing_from(seen, evidence.candidate, key, n_min=n_min, where=str(window)):
            return self.no_data(problem, key=key, numbers={"baseline": before, "missing": True})
        problem = not_comparable(evidence, key) or ("" if math.isfinite(before) else f"the baseline is {before}")
        if problem:
            return self.no_data(problem, key=key, numbers={"baseline": before})
        return self._compare(baseline, seen, key, window, "info" if self.two_sided else evidence.direction(key))

    def _compare(self, baseline: Baseline, seen: SeedGroup, key: str, window: Window, direction: Direction) -> Result:
        threshold = baseline.threshold_pct if self.threshold_pct is None else self.threshold_pct
        abs_tol = baseline.abs_tol if self.abs_tol is None else self.abs_tol
        medians = [lower_median(run.of(key).values) for run in seen.runs]
        before, after = baseline.metrics[key].median, lower_median(np.array(medians))
        delta = after - before
        scale = max(abs(before), abs_tol)
        pct = abs(delta) / scale if scale > 0 else (math.inf if delta else 0.0)
        is_close = pct <= threshold or abs(delta) <= abs_tol
        n = sum(len(run.of(key)) for run in seen.runs)
        # Of a baseline of zero, or nearly, a share is only the tolerance it was divided by.
        relative = f", {share(math.copysign(pct, delta))}" if not delta or (before and abs(before) >= abs_tol) else ""
        reason = (
            f"{number(before)} -> {number(after)} ({number(delta)}{relative}; "
            f"{_BETTER[direction]}), allowed {threshold:.1%} or {number(abs_tol)}; "
            f"median of {count(n, 'value')} of {count(len(medians), 'run')} in {window}, "
            f"against {count(baseline.metrics[key].n, 'value')}"
        )
        numbers = {
            "baseline": before,
            "current": after,
            "delta": abs(delta),
            "pct": pct,
            "direction": direction,
            "threshold_pct": threshold,
            "abs_tol": abs_tol,
            "allowed": max(threshold * abs(before), abs_tol),
            "n": n,
            "per_run": {run.name: median for run, median in zip(seen.runs, medians, strict=True)},
            "window": str(window),
        }
        return self.result(_verdict(delta, direction, is_close), reason, key=key, numbers=numbers)


def _verdict(delta: float, direction: Direction, is_close: bool) -> Verdict:
    if is_close:
        return Verdict.PASS
    is_better = (delta < 0) if direction == "lower" else (delta > 0)
    return Verdict.IMPROVED if is_better and direction != "info" else Verdict.FAIL
