"""What a check measured, as one small picture: the value, its interval, the limits, and what is accepted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dreamer_core.metrics.jsonsafe import NUMBERS
from server.pages.formats import number

WIDTH = 240
# What these checks found is a share, and not in the unit of the metric that they looked at.
SHARES = {"improves": "improvement of {}", "throughput": "{} beside the baseline's"}
_EDGE = 10  # free on both sides, so that a dot on the edge is whole


@dataclass(frozen=True, kw_only=True)
class Gauge:
    value: float
    low: float | None = None  # what is accepted begins here; None: without end
    high: float | None = None
    interval: tuple[float, float] | None = None
    reference: float | None = None  # the baseline's, or the target
    warn: float | None = None
    dots: tuple[float, ...] = ()  # of each run
    measured: str = ""  # in words, where the number alone does not say it
    asked: str = ""

    @property
    def measured_words(self) -> str:
        return self.measured or number(self.value)

    @property
    def asked_words(self) -> str:
        if self.asked:
            return self.asked
        if self.low is not None and self.high is not None:
            return f"{number(self.low)} … {number(self.high)}"
        if self.low is not None:
            return f"at least {number(self.low)}"
        return f"at most {number(self.high)}" if self.high is not None else ""

    @property
    def words(self) -> str:
        """For whoever cannot see the picture."""
        said = [f"{number(self.value)} measured", f"accepted: {self.asked_words}" if self.asked_words else ""]
        if self.interval is not None:
            said.append(f"interval {number(self.interval[0])} … {number(self.interval[1])}")
        if self.reference is not None:
            said.append(f"reference {number(self.reference)}")
        return ", ".join(filter(None, said))

    def at(self, value: float | None, edge: float = 0.0) -> float:
        """Where a number stands, in pixels from the left. `edge`: where None, which has no end, is drawn."""
        if value is None:
            return edge
        low, high = self._span
        share = (value - low) / (high - low)
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)

    @property
    def _span(self) -> tuple[float, float]:
        shown = [self.value, self.low, self.high, *(self.interval or ()), self.reference, self.warn, *self.dots]
        known = [each for each in shown if each is not None]
        low, high = min(known), max(known)
        if high > low:
            return low, high
        around = abs(low) * 0.1 or 1.0
        return low - around, high + around


def gauge_of(result: Mapping[str, Any]) -> Gauge | None:
    """Of one result of a gate, as it is stored. None where there is nothing to draw."""
    numbers = _plain(result["numbers"])
    comparison = result.get("comparison") or result["numbers"].get("undecided")
    if isinstance(comparison, Mapping):
        return _compared(_plain(comparison))
    read = _READERS.get(result["kind"])
    return None if read is None else read(numbers)


def _compared(found: Mapping[str, float]) -> Gauge | None:
    """Gains: above zero, the candidate is better."""
    if not {"difference", "low", "high", "margin", "baseline", "candidate"} <= found.keys():
        return None
    return Gauge(
        value=found["difference"],
        low=-found["margin"],
        interval=(found["low"], found["high"]),
        reference=0.0,
        measured=f"{number(found['baseline'])} → {number(found['candidate'])}",
        asked=f"lose at most {number(found['margin'])}",
    )


def _threshold_median(found: Mapping[str, Any]) -> Gauge | None:
    if not {"baseline", "current", "allowed"} <= found.keys():
        return None
    before, allowed, direction = found["baseline"], found["allowed"], found.get("direction")
    return Gauge(
        value=found["current"],
        low=None if direction == "lower" else before - allowed,
        high=None if direction == "higher" else before + allowed,
        reference=before,
        dots=_dots(found),
    )


def _floor(found: Mapping[str, Any]) -> Gauge | None:
    if not {"found", "bound"} <= found.keys():
        return None
    return Gauge(value=found["found"], low=found["bound"], dots=_dots(found))


def _ceiling(found: Mapping[str, Any]) -> Gauge | None:
    if not {"found", "bound"} <= found.keys():
        return None
    return Gauge(value=found["found"], high=found["bound"], dots=_dots(found))


def _entropy_gap(found: Mapping[str, Any]) -> Gauge | None:
    return Gauge(value=found["gap"], high=found["max_gap"]) if {"gap", "max_gap"} <= found.keys() else None


def _improves(found: Mapping[str, Any]) -> Gauge | None:
    if not {"drop", "min_drop"} <= found.keys():
        return None
    return Gauge(
        value=found["drop"],
        low=found["min_drop"],
        reference=0.0,
        measured=f"{found['drop']:+.1%}",
        asked=f"a drop of {found['min_drop']:.0%}",
    )


def _replay_ratio(found: Mapping[str, Any]) -> Gauge | None:
    if not {"ratio", "target", "tolerance"} <= found.keys():
        return None
    allowed = abs(found["target"]) * found["tolerance"]
    return Gauge(
        value=found["ratio"], low=found["target"] - allowed, high=found["target"] + allowed, reference=found["target"]
    )


def _hold(found: Mapping[str, Any]) -> Gauge | None:
    """The worst evaluation of each run after it reached the level."""
    runs = [_plain(run) for run in found.get("runs", ()) if isinstance(run, Mapping)]
    held = [run for run in runs if "worst" in run]
    worst = [run["worst"] for run in held]
    if not worst:
        return None
    keep, level = held[0]["keep"], held[0]["level"]
    higher = keep <= level
    if lost := [run["best"] for run in runs if "best" in run]:
        return _never_reached(lost, worst, level, higher=higher)
    value = min(worst) if higher else max(worst)
    return Gauge(
        value=value,
        low=keep if higher else None,
        high=None if higher else keep,
        reference=level,
        dots=tuple(worst),
        measured=f"worst {number(value)}",
        asked=f"keep {number(keep)} after {number(level)}",
    )


def _never_reached(best: list[float], worst: list[float], level: float, *, higher: bool) -> Gauge:
    """What a run that never got there had at best says more than how the others held."""
    value = min(best) if higher else max(best)
    return Gauge(
        value=value,
        low=level if higher else None,
        high=None if higher else level,
        dots=(*best, *worst),
        measured=f"best {number(value)}",
        asked=f"reach {number(level)}",
    )


def _throughput(found: Mapping[str, Any]) -> Gauge | None:
    interval = found.get("interval")
    if "ratio" not in found or not isinstance(interval, list):
        return None
    return Gauge(
        value=found["ratio"],
        low=found["hard"],
        warn=found["soft"],
        interval=(interval[0], interval[1]),
        reference=1.0,
        measured=f"{found['ratio'] - 1:+.1%}",
        asked=f"not slower than {found['hard'] - 1:.0%}",
    )


def _parity(found: Mapping[str, Any]) -> Gauge | None:
    """The case that is nearest to its limit, or farthest beyond it."""
    cases = [_plain(case) for case in found.get("cases", ()) if isinstance(case, Mapping)]
    told = [case for case in cases if {"error", "tolerance"} <= case.keys() and case["tolerance"] > 0]
    if not told:
        return None
    worst = max(told, key=lambda case: case["error"] / case["tolerance"])
    return Gauge(value=worst["error"], high=worst["tolerance"], reference=0.0, measured=f"{worst['error']:.3g} off")


_READERS = {
    "threshold_median": _threshold_median,
    "floor": _floor,
    "ceiling": _ceiling,
    "entropy_gap": _entropy_gap,
    "improves": _improves,
    "replay_ratio": _replay_ratio,
    "hold": _hold,
    "throughput": _throughput,
    "parity": _parity,
}


def _dots(found: Mapping[str, Any]) -> tuple[float, ...]:
    per_run = found.get("per_run")
    return tuple(_plain(per_run).values()) if isinstance(per_run, Mapping) else ()


def _plain(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is missing or not finite: that cannot be drawn. Stored, it is a word or null."""
    return {key: value for key, value in numbers.items() if not _is_hole(value)}


def _is_hole(value: Any) -> bool:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return True
    return isinstance(value, str) and value in NUMBERS
