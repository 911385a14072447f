"""Our numbers against a reference implementation's: every case within its tolerance, none of them left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dreamer_core.config.checks import at_least
from dreamer_core.gates.check import Check, Results
from dreamer_core.gates.evidence import Evidence, ParityCase
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, number, some

_NEAREST = 20  # of those within their tolerance, and of those that were skipped, that a result keeps
_MOST_BAD = 1000  # of those that are not


@dataclass(frozen=True, kw_only=True)
class Parity(Check):
    reference: str = ""  # the version or commit that the cases must be of; empty: any, but one
    n_min: int = 1

    kind = "parity"

    def __post_init__(self) -> None:
        at_least(1, n_min=self.n_min)

    def judge(self, evidence: Evidence) -> Results:
        cases = evidence.parity
        references = sorted({case.reference for case in cases})
        bad = sorted((case for case in cases if _is_bad(case)), key=_excess, reverse=True)
        numbers = _numbers(cases, bad) | {"references": references}
        if bad:
            first = bad[0]
            reason = (
                f"{len(bad)} of {count(len(cases), 'case')} out of tolerance, the worst {first.name}: error "
                f"{number(first.error)}, allowed {number(first.tolerance)}; {some([case.name for case in bad])}"
            )
            return (self.result(Verdict.FAIL, reason, numbers=numbers),)
        compared = [case for case in cases if case.status == "compared"]
        if len(compared) < len(cases):
            skipped = [case.name for case in cases if case.status == "skipped"]
            reason = f"{len(skipped)} of {count(len(cases), 'case')} skipped: {some(skipped)}"
            return (self.result(Verdict.SKIPPED, reason, numbers=numbers),)
        if len(compared) < self.n_min:
            return (self.no_data(f"{count(len(compared), 'case')}, needs {self.n_min}", numbers=numbers),)
        if len(references) > 1 or (self.reference and references != [self.reference]):
            wanted = self.reference or "one reference"
            return (self.no_data(f"not comparable: cases of {some(references)}, not of {wanted}", numbers=numbers),)
        closest = max(compared, key=_nearness)
        reason = (
            f"all {count(len(cases), 'case')} within tolerance of {references[0] or 'the reference'}; nearest to its "
            f"limit {closest.name}: error {number(closest.error)}, allowed {number(closest.tolerance)}"
        )
        return (self.result(Verdict.PASS, reason, numbers=numbers),)


def _numbers(cases: Sequence[ParityCase], bad: Sequence[ParityCase]) -> dict[str, object]:
    """The worst ones, and how many there are of each kind: nobody argues about thousands that are far from a limit."""
    skipped = [case for case in cases if case.status == "skipped"]
    good = [case for case in cases if case.status == "compared" and not _is_bad(case)]
    nearest = sorted(good, key=_nearness, reverse=True)
    told = [*bad[:_MOST_BAD], *nearest[:_NEAREST], *sorted(skipped, key=lambda case: case.name)[:_NEAREST]]
    return {
        "cases": [_plain(case) for case in told],
        "counts": {
            "all": len(cases),
            "within": len(good),
            "out_of_tolerance": len(bad),
            "skipped": len(skipped),
            "left_out": len(cases) - len(told),
        },
    }


def _nearness(case: ParityCase) -> tuple[float, str]:
    """Which share of its tolerance it takes; of equal ones, not the one that happens to come first."""
    return case.error / case.tolerance if case.tolerance else 0.0, case.name


def _is_bad(case: ParityCase) -> bool:
    """NaN is never within a tolerance, and neither is a difference below zero, which nobody can have measured."""
    return case.status == "compared" and not 0 <= case.error <= case.tolerance


def _excess(case: ParityCase) -> tuple[bool, float, str]:
    return not math.isfinite(case.error), case.error if math.isfinite(case.error) else 0.0, case.name


def _plain(case: ParityCase) -> dict[str, object]:
    return {"name": case.name, "status": case.status, "error": case.error, "tolerance": case.tolerance}
