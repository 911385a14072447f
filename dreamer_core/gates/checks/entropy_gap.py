"""Posterior and prior stay close after warm-up, and neither dies: what standing still is meant to show."""

from dataclasses import dataclass

import numpy as np

from dreamer_core.config.checks import above, at_least, within
from dreamer_core.gates.check import Check, Results, non_finite_in
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import RunNumbers
from dreamer_core.gates.measure import lower_median, upper_median
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Floats
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, number


@dataclass(frozen=True, kw_only=True)
class EntropyGap(Check):
    """|posterior - prior| / max(1, prior) in nats, the median after warm-up; the run that is worst counts."""

    post: str = "State/post_entropy"
    prior: str = "State/prior_entropy"
    max_gap: float = 0.3
    warm_up: float = 0.1  # share of the records that come first and do not count
    dead_below: float = 0.01  # nats; both entropies below it: the latent says nothing. With unimix the floor is higher
    n_min: int = 3

    kind = "entropy_gap"

    def __post_init__(self) -> None:
        above(0, max_gap=self.max_gap)
        within(0, 1, warm_up=self.warm_up)
        at_least(0, dead_below=self.dead_below)
        at_least(1, n_min=self.n_min)

    @property
    def is_for_every_run(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        for key in (self.post, self.prior):
            if bad := non_finite_in(evidence.candidate, key):
                return (self.result(Verdict.FAIL, f"{key} has {bad}"),)
        pairs = [(run, *self._after_warm_up(run)) for run in evidence.candidate.runs]
        short = [f"{run} has {count(len(post), 'record')}" for run, post, _ in pairs if len(post) < self.n_min]
        if short or not pairs:
            found = short[0] if short else "the candidate has no runs"
            return (self.no_data(f"{found} with {self.post} and {self.prior} after warm-up, needs {self.n_min}"),)
        return (self._worst([self._judge_run(*pair) for pair in pairs]),)

    def _after_warm_up(self, run: RunNumbers) -> tuple[Floats, Floats]:
        """Of the records that have both."""
        post, prior = run.of(self.post), run.of(self.prior)
        _, of_post, of_prior = np.intersect1d(post.records, prior.records, return_indices=True)
        skipped = int(len(of_post) * self.warm_up)
        return post.values[of_post][skipped:], prior.values[of_prior][skipped:]

    def _judge_run(self, run: RunNumbers, post: Floats, prior: Floats) -> tuple[bool, float, Result]:
        gap = upper_median(np.abs(post - prior) / np.maximum(1.0, prior))
        middle_post, middle_prior = lower_median(post), lower_median(prior)
        is_dead = upper_median(post) < self.dead_below and upper_median(prior) < self.dead_below
        is_close = gap < self.max_gap
        numbers = {
            "run": run.name,
            "gap": gap,
            "max_gap": self.max_gap,
            "post_entropy": middle_post,
            "prior_entropy": middle_prior,
            "dead_below": self.dead_below,
            "n": len(post),
        }
        size = f"{count(len(post), 'record')} of {run}, without the first {self.warm_up:.0%}"
        reason = (
            f"gap {number(gap)} of posterior {number(middle_post)} and prior {number(middle_prior)} nat, limit "
            f"{number(self.max_gap)}; median of {size}"
        )
        if is_dead:
            reason = f"dead latent: both entropies below {number(self.dead_below)} nat; {reason}"
        verdict = Verdict.PASS if is_close and not is_dead else Verdict.FAIL
        return is_dead, gap, self.result(verdict, reason, numbers=numbers)

    def _worst(self, judged: list[tuple[bool, float, Result]]) -> Result:
        return max(judged, key=lambda one: one[:2])[2]
