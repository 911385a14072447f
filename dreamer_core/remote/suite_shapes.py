"""What the server answers about suites, their runs and webhooks, as frozen values. Moments are ISO 8601, in UTC."""

from dataclasses import dataclass
from typing import Any

from dreamer_core.remote.gate_shapes import GateResult


@dataclass(frozen=True, kw_only=True)
class GateUse:
    gate: str
    of: str  # train, eval, bench or posted
    baseline: str | None


@dataclass(frozen=True, kw_only=True)
class SuiteScenario:
    name: str
    seeds: tuple[int, ...]
    jobs: int  # of one try
    gates: tuple[GateUse, ...]


@dataclass(frozen=True, kw_only=True)
class JobCounts:
    total: int
    done: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class SuiteRun:
    id: str
    suite: str
    suite_version: int
    state: str  # running, finished, cancelled
    verdict: str | None  # None while it runs
    green: bool | None
    reason: str
    commit: str | None  # None: what the workers have installed
    branch: str | None
    trigger: str
    who: str
    created_at: str
    ended_at: str | None
    jobs: JobCounts

    @property
    def is_final(self) -> bool:
        return self.state != "running"


@dataclass(frozen=True, kw_only=True)
class SuiteStep:
    run_id: str
    kind: str
    seed: int | None
    state: str
    attempt: int  # 2 and more: tried again to confirm a red verdict


@dataclass(frozen=True, kw_only=True)
class ScenarioRun:
    name: str
    verdict: str | None
    attempt: int
    waits_for: str | None
    stuck: str | None = None  # why no worker can take its next job
    stopped: str | None = None  # why its jobs were stopped early
    runs: tuple[SuiteStep, ...]
    results: tuple[GateResult, ...]  # of all attempts; only the final ones count

    @property
    def waiting(self) -> str | None:
        """What it waits for and, if nobody can do that, why."""
        return f"{self.waits_for}: {self.stuck}" if self.waits_for and self.stuck else self.waits_for


@dataclass(frozen=True, kw_only=True)
class SuiteRunDetail(SuiteRun):
    scenarios: tuple[ScenarioRun, ...]


@dataclass(frozen=True, kw_only=True)
class Suite:
    name: str
    version: int
    created_at: str
    source: str
    question: str
    schedule: str | None
    next_at: str | None
    scenarios: tuple[SuiteScenario, ...]
    unused_gates: tuple[str, ...]
    body: dict[str, Any]
    latest: SuiteRun | None


@dataclass(frozen=True, kw_only=True)
class Webhook:
    id: str
    url: str
    suites: tuple[str, ...]  # none: all
    created_at: str
    secret: str | None = None  # signs every message; told only once


@dataclass(frozen=True, kw_only=True)
class Delivery:
    id: str
    suite_run_id: str
    created_at: str
    tries: int
    answer: str | None  # what the last try came to
    next_at: str | None  # None: taken, or given up
