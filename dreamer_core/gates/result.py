"""What a check and a gate come to: a verdict, a sentence with every number that led to it, and the numbers to draw."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dreamer_core.gates.resample import Comparison
from dreamer_core.gates.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class Result:
    check: str  # its name in the gate
    kind: str  # which check it is: finite, hold ...
    key: str = ""  # the metric; empty where the check is not about one
    verdict: Verdict
    reason: str
    required: bool = True  # if not, it warns and does not count
    against_baseline: bool = False
    warns: bool = False  # green, but somebody should look
    numbers: Mapping[str, Any] = field(default_factory=dict)  # plain JSON, but for NaN and infinities
    comparison: Comparison | None = None  # a statistical claim, to be corrected for those made beside it

    @property
    def is_warning(self) -> bool:
        is_bad = not self.verdict.is_green and self.verdict is not Verdict.SKIPPED
        return self.warns or (is_bad and not self.required)


@dataclass(frozen=True, kw_only=True)
class GateResult:
    gate: str
    version: int
    verdict: Verdict
    reason: str
    results: tuple[Result, ...]
    baseline: str = ""  # name and version
    flags: tuple[str, ...] = ()  # what is wrong with the baseline itself
    notes: tuple[str, ...] = ()  # what could not be checked

    @property
    def warnings(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.is_warning)


def to_plain(result: GateResult) -> dict[str, Any]:
    """For JSON that knows words for NaN and infinities."""
    return {
        "gate": result.gate,
        "version": result.version,
        "verdict": str(result.verdict),
        "green": result.verdict.is_green,
        "reason": result.reason,
        "baseline": result.baseline,
        "flags": list(result.flags),
        "notes": list(result.notes),
        "results": [_plain_result(one) for one in result.results],
    }


def _plain_result(result: Result) -> dict[str, Any]:
    return {
        "check": result.check,
        "kind": result.kind,
        "key": result.key,
        "verdict": str(result.verdict),
        "green": result.verdict.is_green,
        "required": result.required,
        "warning": result.is_warning,
        "reason": result.reason,
        "numbers": dict(result.numbers),
        "comparison": None if result.comparison is None else asdict(result.comparison),
    }
