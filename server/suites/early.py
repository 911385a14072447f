"""Stopping early: whether a scenario's verdict can still become green, by the runs that are over. Pure.

Harm is certain: a run that is over has failed a check that every run must pass, or has a NaN where none may be.
Futility is a bet that is hard to lose: even if every seed to come were as good as the best one seen on either side,
the comparison of seeds would not be green.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dreamer_core.gates import Evidence, Gate, GateResult, RunNumbers, SeedGroup, Series, Verdict, evaluate
from dreamer_core.gates.check import Check
from dreamer_core.gates.checks import SeedsBootstrap
from dreamer_core.gates.measure import lower_median
from dreamer_core.suites.spec import StopEarly


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """One gate of a scenario, the runs that are over, and the seeds to come."""

    gate: Gate
    evidence: Evidence
    to_come: Sequence[int]


def why_stop(so_far: SoFar, mode: StopEarly) -> str:
    """A sentence; empty where the jobs must go on."""
    if mode in ("harm", "both") and (reason := _harm(so_far)):
        return reason
    return _futility(so_far) if mode in ("futility", "both") else ""


def _harm(so_far: SoFar) -> str:
    for check in so_far.gate.checks:
        if check.required and not check.skip and check.is_for_every_run:
            found = _alone(so_far.gate, check, so_far.evidence)
            if found.verdict is Verdict.FAIL:
                return found.results[0].reason
    return ""


def _futility(so_far: SoFar) -> str:
    if not so_far.evidence.candidate.runs or not so_far.to_come:
        return ""
    for check in so_far.gate.checks:
        if check.required and not check.skip and isinstance(check, SeedsBootstrap):
            hoped = replace(so_far.evidence, candidate=_at_best(so_far, check))
            found = _alone(so_far.gate, check, hoped)
            if found.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
                return f"even with the best seeds to come it would not be green: {found.results[0].reason}"
    return ""


def _alone(gate: Gate, check: Check, evidence: Evidence) -> GateResult:
    return evaluate(replace(gate, checks=(check,)), evidence)


def _at_best(so_far: SoFar, check: SeedsBootstrap) -> SeedGroup:
    """The candidate with a run for every seed to come that is as good as any, all the time."""
    candidate = so_far.evidence.candidate
    like = max(candidate.runs, key=lambda run: len(run.record_steps))
    best = {key: _best(so_far.evidence, key) for key in check.keys}
    every = np.arange(len(like.record_steps))
    series = {
        key: Series(steps=like.record_steps, values=np.full(len(every), value), records=every)
        for key, value in best.items()
        if value is not None
    }
    hoped = [
        RunNumbers(
            name=f"seed to come {seed}",
            series=series,
            record_steps=like.record_steps,
            seed=seed,
            task=like.task,
            facts=like.facts,
        )
        for seed in so_far.to_come
    ]
    return replace(candidate, runs=(*candidate.runs, *hoped))


def _best(evidence: Evidence, key: str) -> float | None:
    window = evidence.baseline.window if evidence.baseline is not None else None
    seen = evidence.candidate if window is None else evidence.candidate.within(window, (key,))
    values = [lower_median(run.of(key).values) for run in seen.runs if len(run.of(key))]
    if evidence.baseline is not None and key in evidence.baseline.metrics:
        values += [run.median for run in evidence.baseline.metrics[key].runs]
    if not values:
        return None
    return min(values) if evidence.direction(key) == "lower" else max(values)
