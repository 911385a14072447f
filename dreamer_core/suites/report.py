"""What there is to tell about a suite run, as plain values: every report is made from these alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dreamer_core.gates.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """Of one check and one metric."""

    check: str
    kind: str
    key: str = ""
    verdict: Verdict
    required: bool = True
    is_warning: bool = False
    reason: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    comparison: Mapping[str, Any] | None = None

    @property
    def title(self) -> str:
        return f"{self.check} {self.key}" if self.key and self.key != self.check else self.check


@dataclass(frozen=True, kw_only=True)
class GateReport:
    id: str  # of the gate result
    gate: str
    version: int
    verdict: Verdict
    reason: str = ""
    baseline: str = ""  # name and version
    is_final: bool = True  # not where a rerun took its place
    checks: tuple[CheckReport, ...] = ()
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()  # what is wrong with the baseline itself


@dataclass(frozen=True, kw_only=True)
class RunReport:
    id: str
    kind: str
    seed: int | None
    state: str
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class ScenarioReport:
    name: str
    verdict: Verdict | None
    attempt: int = 1
    waits_for: str | None = None
    stopped: str | None = None
    runs: tuple[RunReport, ...] = ()
    gates: tuple[GateReport, ...] = ()  # of all attempts

    @property
    def final(self) -> tuple[GateReport, ...]:
        return tuple(gate for gate in self.gates if gate.is_final)

    @property
    def earlier(self) -> tuple[GateReport, ...]:
        return tuple(gate for gate in self.gates if not gate.is_final)

    @property
    def missing(self) -> str:
        """Why it has no verdict; empty if it has one."""
        if self.verdict is not None:
            return ""
        return f"not judged: waits for {self.waits_for}" if self.waits_for else "not judged"


@dataclass(frozen=True, kw_only=True)
class SuiteReport:
    id: str
    suite: str
    version: int
    state: str
    verdict: Verdict | None
    reason: str = ""
    commit: str | None = None
    branch: str | None = None
    created_at: str = ""
    ended_at: str | None = None
    server: str = ""  # its address, for links
    scenarios: tuple[ScenarioReport, ...] = ()

    @property
    def word(self) -> str:
        """The verdict, or what stands in its place."""
        return self.state if self.verdict is None else self.verdict.replace("_", " ")
