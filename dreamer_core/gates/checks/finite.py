"""No NaN and no infinity, anywhere: the first one is named with its step, its metric and its run."""

from dataclasses import dataclass, field

import numpy as np

from dreamer_core.errors import ConfigError
from dreamer_core.gates.check import Check, Results, missing_from, place
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import RunNumbers, SeedGroup, matching
from dreamer_core.gates.result import Result
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, kind_of, some


@dataclass(frozen=True, kw_only=True)
class Finite(Check):
    """Over the whole run, unless a window says otherwise: one bad value is not outvoted by good ones."""

    keys: tuple[str, ...] = ("Loss/*", "Grads/*", "State/*")
    window: Window = field(default_factory=Window)

    kind = "finite"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("keys", "must name at least one metric, or `*`")

    @property
    def is_for_every_run(self) -> bool:
        return True

    def judge(self, evidence: Evidence) -> Results:
        keys = matching(evidence.candidate.keys, self.keys)
        seen = evidence.candidate.within(self.window, keys)
        bad = [(run, key, at) for run in seen.runs for key in keys if (at := run.of(key).first_bad()) is not None]
        if bad:
            return (self._fail(bad),)
        if not keys:
            return (self.no_data(f"the candidate has none of {some(self.keys)}"),)
        for key in keys:
            if problem := missing_from(seen, evidence.candidate, key, n_min=1, where=str(self.window)):
                return (self.no_data(problem, key=key),)
        return (self._pass(seen, keys),)

    def _pass(self, seen: SeedGroup, keys: list[str]) -> Result:
        values = sum(len(run.of(key)) for run in seen.runs for key in keys)
        reason = f"all {values} values of {count(len(keys), 'metric')} of {count(len(seen.runs), 'run')} are finite"
        return self.result(Verdict.PASS, f"{reason}, in {self.window}", numbers={"values": values, "keys": keys})

    def _fail(self, bad: list[tuple[RunNumbers, str, int]]) -> Result:
        run, key, at = min(bad, key=_when)
        series = run.of(key)
        values = np.concatenate([run.of(key).values for run, key, _ in bad])
        nan, inf = int(np.isnan(values).sum()), int(np.isinf(values).sum())
        keys = sorted({key for _, key, _ in bad})
        numbers = {
            "run": run.name,
            "step": float(series.steps[at]),
            "record": int(series.records[at]),
            "value": float(series.values[at]),
            "nan": nan,
            "inf": inf,
            "keys": keys,
        }
        reason = (
            f"first {kind_of(series.values[at])} {place(run, key, at)}; {nan} NaN and {inf} infinite values of "
            f"{some(keys)}, in {self.window}"
        )
        return self.result(Verdict.FAIL, reason, key=key, numbers=numbers)


def _when(found: tuple[RunNumbers, str, int]) -> tuple[bool, float, int, str, str]:
    """By step; values whose step is not known come last. Run and metric only settle ties."""
    run, key, at = found
    step, record = float(run.of(key).steps[at]), int(run.of(key).records[at])
    return (step != step, step if step == step else 0.0, record, key, run.name)
