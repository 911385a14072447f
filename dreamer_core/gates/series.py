"""The numbers of one metric of one run, and the window of it that is looked at.

A series holds what was recorded, NaN and infinities included. What was not recorded is not in it: missing is not NaN.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamer_core.config.checks import at_least
from dreamer_core.errors import ConfigError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Environment steps from `env_steps_min` to `env_steps_max`, both included, and of those the `last` records."""

    env_steps_min: float | None = None
    env_steps_max: float | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        if self.last is not None:
            at_least(1, last=self.last)
        low, high = self.env_steps_min, self.env_steps_max
        if low is not None and high is not None and high < low:
            raise ConfigError("env_steps_max", f"must be at least env_steps_min, which is {low:g}, got {high:g}")

    def keep(self, record_steps: Floats) -> Flags:
        """Which records are inside. One that does not say its step is outside as soon as there is a bound."""
        kept = np.ones(len(record_steps), dtype=np.bool_)
        if self.env_steps_min is not None:
            kept &= record_steps >= self.env_steps_min
        if self.env_steps_max is not None:
            kept &= record_steps <= self.env_steps_max
        if self.last is not None:
            kept[np.flatnonzero(kept)[: -self.last]] = False
        return kept

    def __str__(self) -> str:
        parts = []
        if self.env_steps_min is not None or self.env_steps_max is not None:
            low = "start" if self.env_steps_min is None else f"{self.env_steps_min:.15g}"
            high = "end" if self.env_steps_max is None else f"{self.env_steps_max:.15g}"
            parts.append(f"env steps {low}..{high}")
        if self.last is not None:
            parts.append(f"the last {self.last} records")
        return ", ".join(parts) or "all records"


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    steps: Floats  # environment steps; NaN where the record does not say
    values: Floats
    records: NDArray[np.intp]  # which record of the run each value comes from

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.values).all())

    def first_bad(self) -> int | None:
        """Where the first value stands that is NaN or infinite."""
        bad = np.flatnonzero(~np.isfinite(self.values))
        return int(bad[0]) if len(bad) else None

    def within(self, kept_records: Flags) -> "Series":
        """Records are counted anew, from the first that is kept."""
        kept = kept_records[self.records]
        places = np.cumsum(kept_records) - 1
        return Series(steps=self.steps[kept], values=self.values[kept], records=places[self.records[kept]])


EMPTY = Series(steps=np.empty(0), values=np.empty(0), records=np.empty(0, dtype=np.intp))
