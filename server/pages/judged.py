"""The results of a gate in the order in which one asks about them, and what its curves are measured by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamer_core.gates.decide import MIN_SEEDS, seeds_to_decide
from dreamer_core.gates.resample import Comparison
from dreamer_core.gates.verdict import WORST_FIRST, Verdict
from dreamer_core.metrics.jsonsafe import dumps, loads_numbers
from dreamer_core.metrics.names import METRICS
from server.pages.gauges import SHARES, Gauge, gauge_of

MORE_SEEDS = 4  # where no verdict says how many
_MOST_MORE = 100


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One check of one metric."""

    verdict: Verdict
    check: str
    kind: str
    key: str
    reason: str
    required: bool
    warning: bool
    gauge: Gauge | None

    @property
    def direction(self) -> str:
        return METRICS[self.key].direction if self.key in METRICS else "info"

    @property
    def unit(self) -> str:
        if self.kind in SHARES:
            return ""  # what it found is said in percent
        return METRICS[self.key].unit if self.key in METRICS else ""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A level that curves of a metric are held against."""

    y: float
    label: str


def judged(results: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """Those that decide first."""
    found = [
        Judged(
            verdict=Verdict(one["verdict"]),
            gauge=gauge_of(one),
            **{name: one[name] for name in ("check", "kind", "key", "reason", "required", "warning")},
        )
        for one in results
    ]
    return sorted(found, key=lambda one: (not one.required, WORST_FIRST.index(one.verdict)))


def limits(results: Sequence[Mapping[str, Any]], key: str) -> list[Limit]:
    """Of all checks of one metric that have a level, each level once."""
    found: dict[float, str] = {}
    for one in results:
        if one["key"] == key:
            for y, label in _levels(one):
                found.setdefault(y, label)
    return [Limit(y=y, label=label) for y, label in found.items()]


def more_seeds(results: Sequence[Mapping[str, Any]]) -> int:
    """How many more would decide what is undecided, four times out of five."""
    wanted = [more for one in results if one["verdict"] == Verdict.INCONCLUSIVE and (more := _more(one))]
    return min(_MOST_MORE, max(wanted, default=MORE_SEEDS))


def keys_to_draw(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Metrics, those that decided first."""
    return list(dict.fromkeys(one.key for one in judged(results) if one.key))


def _levels(one: Mapping[str, Any]) -> list[tuple[float, str]]:
    gauge = gauge_of(one)
    numbers = one["numbers"]
    if one["kind"] in ("threshold_median", "floor", "ceiling") and gauge is not None:
        return [(level, _limit_of(one)) for level in (gauge.low, gauge.high) if level is not None]
    if one["kind"] == "hold" and gauge is not None:
        keep = gauge.low if gauge.low is not None else gauge.high
        never = gauge.reference is None  # a run did not get to the level, which is then what was asked
        levels = [(keep, "to reach" if never else "to keep"), (gauge.reference, "to reach")]
        return [(level, label) for level, label in levels if level is not None]
    if one["kind"] == "seeds_bootstrap" and str(numbers.get("measure")).startswith("median of each run"):
        return _largest_loss(one)
    level = numbers.get("level")
    return [(float(level), "to reach")] if isinstance(level, int | float) else []


def _limit_of(one: Mapping[str, Any]) -> str:
    return f"limit of {one['check'].replace('_', ' ')}"


def _largest_loss(one: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Below (or above) which the middle of the seeds must not be."""
    found = one["comparison"] or one["numbers"].get("undecided") or {}
    if not all(isinstance(found.get(name), int | float) for name in ("baseline", "margin")):
        return []
    sign = 1 if one["key"] in METRICS and METRICS[one["key"]].direction == "lower" else -1
    return [(found["baseline"] + sign * found["margin"], _limit_of(one))]


def _more(one: Mapping[str, Any]) -> int | None:
    plain = one["comparison"] or one["numbers"].get("undecided")
    if not plain:
        return None
    comparison = Comparison(**loads_numbers(dumps(plain)))
    needed = seeds_to_decide(comparison, int(one["numbers"].get("claims", 1)))
    if needed is None:
        return None
    return max(1, MIN_SEEDS - comparison.n_candidate, needed - comparison.n_candidate)
