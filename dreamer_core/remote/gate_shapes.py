"""What the server answers about baselines, gates and verdicts, as frozen values. Moments are ISO 8601, in UTC."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Baseline:
    id: str
    name: str
    version: int
    created_at: str
    who: str
    why: str
    family: str | None  # None where the runs did not say, or differ
    flags: tuple[str, ...]  # what every verdict against it will say
    seeds: int
    runs: tuple[str, ...]  # runs of the server that it was made from
    retired_at: str | None
    retired_why: str | None

    @property
    def title(self) -> str:
        return f"{self.name} v{self.version}"


@dataclass(frozen=True, kw_only=True)
class BaselineKey:
    median: float
    n: int
    mad: float
    sd: float | None
    runs: tuple[dict[str, Any], ...]  # run, seed, median and n of each


@dataclass(frozen=True, kw_only=True)
class BaselineDetail(Baseline):
    env_steps_min: int | None
    env_steps_max: int | None
    count: int  # records that were used
    threshold_pct: float
    abs_tol: float
    missing_keys: tuple[str, ...]
    metrics: dict[str, BaselineKey]
    provenance: tuple[dict[str, Any], ...]  # of each run: family, commit, testbed, checkpoint ...


@dataclass(frozen=True, kw_only=True)
class Gate:
    name: str
    version: int
    created_at: str | None  # None for the one that is built in
    source: str
    checks: tuple[dict[str, Any], ...]
    directions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class BaselineRef:
    id: str
    name: str
    version: int


@dataclass(frozen=True, kw_only=True)
class GateResult:
    id: str
    gate: str
    gate_version: int
    verdict: str
    green: bool
    reason: str
    baseline: BaselineRef | None
    runs: tuple[str, ...]
    suite_run_id: str | None
    scenario: str | None
    is_final: bool  # not where a rerun took its place
    commit: str | None
    family: str | None
    created_at: str


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """Of one check and one metric."""

    check: str
    kind: str
    key: str
    verdict: str
    green: bool
    required: bool  # if not, it warns and does not count
    warning: bool
    reason: str
    numbers: dict[str, Any]  # that led to it
    comparison: dict[str, Any] | None = None  # a statistical claim


@dataclass(frozen=True, kw_only=True)
class GateResultDetail(GateResult):
    results: tuple[CheckResult, ...]
    checks: tuple[dict[str, Any], ...]  # of the gate, as it was
    flags: tuple[str, ...]  # what is wrong with the baseline itself
    notes: tuple[str, ...]  # what could not be checked
