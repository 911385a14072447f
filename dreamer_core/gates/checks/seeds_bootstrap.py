"""Seeds against seeds: is the candidate worse than the baseline by more than a margin, or surely not?

Interquartile means of one score per run, a stratified bootstrap for the interval, a permutation test beside it, and a
margin of non-inferiority. Too few seeds are inconclusive, with the number that would decide.
"""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from dreamer_core.config.checks import above, at_least, within
from dreamer_core.errors import ConfigError
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.check import (
    NO_DIRECTION,
    Check,
    Results,
    missing_from,
    non_finite_in,
    not_comparable,
    repeated_seed,
)
from dreamer_core.gates.decide import MIN_SEEDS, advice, decide
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import SeedGroup, matching
from dreamer_core.gates.measure import lower_median
from dreamer_core.gates.resample import Comparison, compare_scores, statistic_of
from dreamer_core.gates.result import Result
from dreamer_core.gates.scores import Sides, baseline_curves, candidate_curves, grouped, heights, steps_to
from dreamer_core.gates.series import Floats, Window
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import number, share

Measure = Literal["window", "auc", "steps_to"]


@dataclass(frozen=True, kw_only=True)
class SeedsBootstrap(Check):
    keys: tuple[str, ...] = ("eval/mean_return",)
    measure: Measure = "window"  # the baseline's window; the area under the curve; steps to a level
    level: float | None = None  # with steps_to
    margin_pct: float = 0.1  # a loss up to this share of the baseline's IQM is accepted
    margin_abs: float = 0.0  # or up to this much, whichever is more
    alpha: float = 0.05  # one-sided, of each claim
    rng_seed: int = 0
    n_min: int = 1  # values per run in the window
    window: Window = field(default_factory=Window)  # its `last`; the steps are the baseline's

    kind = "seeds_bootstrap"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("keys", "must name at least one metric")
        if (self.level is None) == (self.measure == "steps_to"):
            raise ConfigError("level", f"goes with measure=steps_to and with nothing else, got {self.level}")
        at_least(0, margin_pct=self.margin_pct, margin_abs=self.margin_abs, rng_seed=self.rng_seed)
        above(0, margin=self.margin_pct + self.margin_abs, alpha=self.alpha)
        within(0, 0.5, alpha=self.alpha)
        at_least(1, n_min=self.n_min)

    @property
    def uses_baseline(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        known = [*evidence.candidate.keys, *(evidence.baseline.keys if evidence.baseline else ())]
        keys = matching(dict.fromkeys(known), self.keys)
        if not keys:
            return (self.no_data(f"neither side has any of {', '.join(self.keys)}"),)
        return tuple(self._judge_key(evidence, key) for key in keys)

    def _judge_key(self, evidence: Evidence, key: str) -> Result:
        baseline, direction = evidence.baseline, evidence.direction(key)
        if direction == "info":
            return self.result(Verdict.ERROR, NO_DIRECTION, key=key)
        seen = evidence.candidate.within(self._window_of(baseline), (key,))
        if bad := non_finite_in(seen, key):
            return self.result(Verdict.FAIL, bad, key=key)
        problem = (
            not_comparable(evidence, key)
            or repeated_seed(evidence)
            or missing_from(seen, evidence.candidate, key, n_min=self.n_min, where=str(self._window_of(baseline)))
        )
        if baseline is None or problem:
            return self.no_data(problem, key=key)
        sides = self._measured(baseline, seen, key, higher=direction == "higher")
        if isinstance(sides, str):
            return self.no_data(sides, key=key)
        if sides.baseline.keys() != sides.candidate.keys():
            return self.no_data(f"tasks differ: {sorted(sides.baseline)} / {sorted(sides.candidate)}", key=key)
        # Fewer steps are better, whatever is better of the metric itself.
        return self._compare(sides, key, higher=direction == "higher" and self.measure != "steps_to")

    def _window_of(self, baseline: Baseline | None) -> Window:
        """A curve is looked at whole."""
        if baseline is None or baseline.input_kind == "json" or self.measure != "window":
            return Window(last=self.window.last if self.measure == "window" else None)
        return replace(baseline.window, last=self.window.last)

    def _measured(self, baseline: Baseline, seen: SeedGroup, key: str, *, higher: bool) -> Sides | str:
        if self.measure == "window":
            return _windowed(baseline, seen, key)
        before = baseline_curves(baseline, key)
        if isinstance(before, str):
            return before
        after = candidate_curves(seen, key)
        if self.measure == "auc":
            return heights(before, after)
        return steps_to(before, after, float(self.level or 0.0), higher=higher)

    def _compare(self, sides: Sides, key: str, *, higher: bool) -> Result:
        scaled = _normalized(sides)
        if scaled is None:
            return self.no_data("a task's baseline is 0, so that tasks cannot be put on one scale", key=key)
        before, after = scaled
        margin = max(self.margin_pct * abs(statistic_of(before, "iqm")), self.margin_abs)
        found = compare_scores(before, after, higher=higher, margin=margin, alpha=self.alpha, rng_seed=self.rng_seed)
        numbers = {
            "measure": sides.what,
            "baseline_scores": {task: sorted(scores.tolist()) for task, scores in sides.baseline.items()},
            "candidate_scores": {task: sorted(scores.tolist()) for task, scores in sides.candidate.items()},
        }
        reason = _sentence(found, sides.what, higher=higher)
        if min(found.n_baseline, found.n_candidate) < MIN_SEEDS:
            reason = f"{advice(found)}: {reason}"
            return self.result(Verdict.INCONCLUSIVE, reason, key=key, numbers=numbers | {"undecided": asdict(found)})
        verdict = decide(found, p_worse=found.p_worse, p_better=found.p_better)
        return self.result(verdict, reason, key=key, numbers=numbers, comparison=found)


def _windowed(baseline: Baseline, seen: SeedGroup, key: str) -> Sides | str:
    """The middle of each run's window."""
    stats = baseline.metrics.get(key)
    if stats is None or not stats.runs:
        return f"the baseline {baseline.title} does not have it"
    if not all(math.isfinite(run.median) for run in stats.runs):
        return f"the baseline {baseline.title} has runs whose median is not finite"
    return Sides(
        baseline=grouped([run.task for run in stats.runs], [run.median for run in stats.runs]),
        candidate=grouped([run.task for run in seen.runs], [lower_median(run.of(key).values) for run in seen.runs]),
        what=f"median of each run over {baseline.window}",
    )


def _normalized(sides: Sides) -> tuple[list[Floats], list[Floats]] | None:
    """Several tasks are put on one scale, where 1 is the baseline's IQM of the task. None if one of those is 0."""
    tasks = list(sides.baseline)
    scales = [abs(statistic_of([sides.baseline[task]], "iqm")) if len(tasks) > 1 else 1.0 for task in tasks]
    if not all(scales):
        return None
    pairs = list(zip(tasks, scales, strict=True))
    return [sides.baseline[task] / by for task, by in pairs], [sides.candidate[task] / by for task, by in pairs]


def _sentence(found: Comparison, what: str, *, higher: bool) -> str:
    relative = found.difference / abs(found.baseline) if found.baseline else math.nan
    hint = "" if found.margin else " (of 0 no share can be lost: set margin_abs)"
    return (
        f"IQM {number(found.baseline)} -> {number(found.candidate)} ({'higher' if higher else 'lower'} is better; "
        f"gain {number(found.difference)}, {share(relative)}), {1 - 2 * found.alpha:.0%} interval of the gain "
        f"{number(found.low)}..{number(found.high)}, accepted loss {number(found.margin)}{hint}; "
        f"p {number(found.p_worse)} of worse than that, {number(found.p_not_worse)} of not, "
        f"{number(found.p_better)} of better, alpha {number(found.alpha)}; "
        f"{found.n_candidate} against {found.n_baseline} seeds, {what}"
    )
