"""Comparisons with the references as numbers: how far each was off, and how far it might have been."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from dreamer_core.metrics.jsonsafe import dumps
from tests.golden import tolerances
from tests.golden.fixtures import read_manifest
from tests.golden.tolerances import Tolerance


@dataclass(frozen=True, kw_only=True)
class Case:
    """As the check `parity` of a gate reads it."""

    name: str
    status: str = "compared"
    error: float | None = None
    tolerance: float | None = None
    reference: str


@dataclass
class ParityLog:
    cases: list[Case] = field(default_factory=list)

    @contextmanager
    def of_test(self, name: str, reference: str) -> Iterator[None]:
        """Every comparison that is made in here."""

        def note(what: str, found: Tensor, expected: Tensor, tolerance: Tolerance) -> None:
            error, allowed = nearest_to_its_limit(found, expected, tolerance)
            self.cases.append(Case(name=f"{name}: {what}", error=error, tolerance=allowed, reference=reference))

        tolerances.WATCHERS.append(note)
        try:
            yield
        finally:
            tolerances.WATCHERS.remove(note)

    def failed(self, name: str, reference: str) -> None:
        """A test that failed otherwise than by a comparison must not look as if all was well."""
        self.cases.append(Case(name=name, error=math.inf, tolerance=0.0, reference=reference))

    def skipped(self, name: str, reference: str) -> None:
        self.cases.append(Case(name=name, status="skipped", reference=reference))

    def write(self, file: Path) -> None:
        file.write_text(dumps({"parity": [asdict(case) for case in self.cases]}, indent=1) + "\n")


def nearest_to_its_limit(found: Tensor, expected: Tensor, tolerance: Tolerance) -> tuple[float, float]:
    """Error and tolerance of the number that is nearest to its limit, or furthest beyond it; NaN is beyond all."""
    if not expected.numel():
        return 0.0, 0.0
    ours, theirs = found.detach().double().flatten(), expected.double().flatten()
    error = (ours - theirs).abs().where(ours != theirs, ours.new_zeros(()))
    allowed = tolerance.atol + tolerance.rtol * theirs.abs()
    used = (error / allowed).where(error > 0, error).nan_to_num(nan=math.inf)  # a NaN passes no comparison
    place = int(used.argmax())
    return float(error[place]), float(allowed[place])


def reference_of(file: Path) -> str:
    """Whose numbers the tests of a file compare with: by its name, as the manifest says it."""
    known = read_manifest()["references"]["sheeprl" if "sheeprl" in file.name else "nature"]
    return " ".join(filter(None, ("sheeprl", known["sheeprl"], (known["commit"] or "")[:7])))
