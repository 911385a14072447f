"""What every check is: some settings, and one pure function from evidence to results."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dreamer_core.errors import ConfigError
from dreamer_core.gates.comparable import differing_family, differing_testbed
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import RunNumbers, SeedGroup
from dreamer_core.gates.resample import Comparison
from dreamer_core.gates.result import Result
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, kind_of, number

Results = tuple[Result, ...]


NOT_GIVEN = math.nan  # the default of a number that a gate must say itself


def must_be_given(**settings: float) -> None:
    for key, value in settings.items():
        if not math.isfinite(value):
            raise ConfigError(key, "must be given, as a finite number")


@dataclass(frozen=True, kw_only=True)
class Check(ABC):
    name: str = ""  # what results are called; by default what the check is
    required: bool = True  # if not, it only warns
    skip: str = ""  # why it is not to be judged

    kind = ""  # its word in a gate's file

    @property
    def uses_baseline(self) -> bool:
        return False

    @property
    def is_for_every_run(self) -> bool:
        """Each run must pass by itself: one that fails decides, whatever the others do."""
        return False

    @abstractmethod
    def judge(self, evidence: Evidence) -> Results:
        """At least one result. Whatever is not decided is not green."""

    def result(
        self,
        verdict: Verdict,
        reason: str,
        *,
        key: str = "",
        numbers: Mapping[str, Any] | None = None,
        comparison: Comparison | None = None,
        warns: bool = False,
    ) -> Result:
        return Result(
            check=self.name or self.kind,
            kind=self.kind,
            key=key,
            verdict=verdict,
            reason=f"{key}: {reason}" if key else reason,
            required=self.required,
            numbers=numbers or {},
            comparison=comparison,
            against_baseline=self.uses_baseline,
            warns=warns,
        )

    def no_data(self, reason: str, *, key: str = "", numbers: Mapping[str, Any] | None = None) -> Result:
        return self.result(Verdict.NO_DATA, reason, key=key, numbers=numbers)


NO_DIRECTION = "neither way is better as far as is known; say it in the gate, as in `directions: {my/score: higher}`"


def not_comparable(evidence: Evidence, key: str = "") -> str:
    """Why this metric may not be held against the baseline; empty if it may."""
    if evidence.baseline is None:
        return "there is no baseline to compare with"
    problem = differing_family(evidence.baseline, evidence)
    if problem or not evidence.is_speed(key):
        return problem
    differing = differing_testbed(evidence.baseline, evidence)
    return f"not comparable: speed on different testbeds, {differing}" if differing else ""


def repeated_seed(evidence: Evidence) -> str:
    """Which seed stands on one side more than once; empty if none does. Two runs of one seed are not two seeds."""
    before = () if evidence.baseline is None else evidence.baseline.runs
    for side, runs in (("candidate", evidence.candidate.runs), ("baseline", before)):
        seeds = [(run.task, run.seed) for run in runs if run.seed is not None]
        again = sorted({seed for task, seed in seeds if seeds.count((task, seed)) > 1})
        if again:
            return f"the {side} has seed {again[0]} more than once, and two runs of one seed are not two seeds"
    return ""


def stepless_in(group: SeedGroup, key: str) -> str:
    """Which run does not say at which step its values are; empty if all do."""
    for run in group.runs:
        if not np.isfinite(run.of(key).steps).all():
            return f"{run} does not say at which step its records are"
    return ""


def missing_from(seen: SeedGroup, whole: SeedGroup, key: str, *, n_min: int, where: str) -> str:
    """Which run has too few values of the metric in what is `seen` of it; empty if all have enough."""
    if not seen.runs:
        return "the candidate has no runs"
    for run, all_of_it in zip(seen.runs, whole.runs, strict=True):
        if len(run.of(key)) < n_min:
            found = count(len(run.of(key)), "value")
            return f"{run} has {found} in {where}, needs {n_min}; the whole run has {all_of_it.extent}"
    return ""


def non_finite_in(group: SeedGroup, key: str) -> str:
    """The first value that is NaN or infinite, with its step and run; empty if all are finite."""
    for run in group.runs:
        bad = run.of(key).first_bad()
        if bad is not None:
            return f"{kind_of(run.of(key).values[bad])} {place(run, key, bad)}"
    return ""


def place(run: RunNumbers, key: str, position: int) -> str:
    step = run.of(key).steps[position]
    at = f"at env step {number(step)}" if step == step else f"in record {run.of(key).records[position]}"
    return f"{at} of {run}"
