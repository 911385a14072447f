"""The values of single seeds as a strip of dots: how far they spread is seen before it is read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dreamer_core.gates.baseline import KeyStats
from dreamer_core.metrics.names import METRICS
from server.pages.formats import number

WIDTH = 120
_EDGE = 6


@dataclass(frozen=True, kw_only=True)
class Strip:
    dots: tuple[float, ...]  # in pixels from the left
    middle: float
    words: str


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A metric of a baseline, as its table shows it."""

    key: str
    stats: KeyStats
    strip: Strip | None  # None where there is but one run

    @property
    def direction(self) -> str:
        return METRICS[self.key].direction if self.key in METRICS else "info"

    @property
    def unit(self) -> str:
        return METRICS[self.key].unit if self.key in METRICS else ""

    @property
    def meaning(self) -> str:
        return METRICS[self.key].meaning if self.key in METRICS else ""


def scores_first(keys: Iterable[str]) -> list[str]:
    """How well it plays, then how it learns."""
    return sorted(keys, key=lambda key: not key.startswith("eval/"))  # stable: as they were, else


def metric_row(key: str, stats: KeyStats) -> MetricRow:
    values = [run.median for run in stats.runs]
    seeds = ["–" if run.seed is None else str(run.seed) for run in stats.runs]
    return MetricRow(key=key, stats=stats, strip=strip(values, seeds, stats.median) if len(values) > 1 else None)


def strip(values: Sequence[float], seeds: Sequence[str], middle: float) -> Strip | None:
    low, high = min(values), max(values)
    if not high - low < float("inf"):  # not finite, somewhere
        return None

    def at(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)

    words = ", ".join(f"seed {seed}: {number(value)}" for seed, value in zip(seeds, values, strict=True))
    return Strip(dots=tuple(at(value) for value in values), middle=at(middle), words=words)
