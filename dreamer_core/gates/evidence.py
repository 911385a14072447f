"""Everything that the checks of a gate may look at, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.group import SeedGroup
from dreamer_core.metrics.names import METRICS, Direction

_SPEED_UNITS = {"steps/s", "updates/s", "ms"}
SPEED_KEYS = frozenset({name for name, metric in METRICS.items() if metric.unit in _SPEED_UNITS} | {"overlap_eff"})


@dataclass(frozen=True, kw_only=True)
class Past:
    """One value of a metric's history."""

    value: float
    label: str = ""  # a commit or a run
    testbed: str = ""  # what names the machine; empty where that does not matter


@dataclass(frozen=True, kw_only=True)
class ParityCase:
    """One comparison with a reference implementation."""

    name: str
    status: Literal["compared", "skipped"] = "compared"
    error: float = 0.0  # the largest difference
    tolerance: float = 0.0
    reference: str = ""  # version or commit of what it is compared with


@dataclass(frozen=True, kw_only=True)
class Evidence:
    candidate: SeedGroup
    baseline: Baseline | None = None
    history: Mapping[str, tuple[Past, ...]] = field(default_factory=dict)  # per metric, from the oldest on
    parity: tuple[ParityCase, ...] = ()
    directions: Mapping[str, Direction] = field(default_factory=dict)  # as the gate says

    def direction(self, key: str) -> Direction:
        """As the gate says; else the input, the baseline, the table of metrics. `info` where none of them knows it."""
        from_baseline = {} if self.baseline is None else self.baseline.directions
        for known in (self.directions, self.candidate.directions, from_baseline):
            if key in known:
                return known[key]
        return METRICS[key].direction if key in METRICS else "info"

    def is_speed(self, key: str) -> bool:
        from_baseline = frozenset() if self.baseline is None else self.baseline.speed_keys
        return key in SPEED_KEYS or key in self.candidate.speed_keys or key in from_baseline
