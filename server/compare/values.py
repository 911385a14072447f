"""How a side stands to a baseline, metric by metric: in the baseline's window, and at the step where it is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dreamer_core import gates
from dreamer_core.errors import UsageError
from dreamer_core.gates import Baseline, Blessing, Evidence, SeedGroup, Window
from dreamer_core.gates.baseline import KeyStats
from dreamer_core.gates.measure import lower_median
from server.compare.bands import band_of
from server.compare.sides import Side

Word = Literal["better", "worse", "close", "changed", "unknown"]

LAST = Window(last=25)  # where no baseline says a window
_NOW = 5  # records that say where a run is now


@dataclass(frozen=True, kw_only=True)
class Value:
    """One metric of one side. None: there is no such number, and `why` says why."""

    median: float | None = None
    low: float | None = None
    high: float | None = None
    relative: float | None = None  # of the baseline, as a share
    word: Word = "unknown"
    now_share: float | None = None  # of the baseline's middle seed at the step where this side is
    now_step: float | None = None
    why: str = ""


def values(side: Side, keys: Sequence[str], baseline: Baseline | None) -> dict[str, Value]:
    """In the baseline's window; of what has not come so far, how it stands at the step where it is."""
    window = LAST if baseline is None else baseline.window
    stats = _captured(side.group, keys, window)
    return {key: _value(side, key, stats.get(key), baseline, window) for key in keys}


def _captured(group: SeedGroup, keys: Sequence[str], window: Window) -> Mapping[str, KeyStats]:
    blessing = Blessing(created_at="", source="", window=window)
    try:
        return gates.capture(group, keys, blessing, curve_points=0).metrics
    except UsageError:  # nothing of it is in the window
        return {}


def _value(side: Side, key: str, stats: KeyStats | None, baseline: Baseline | None, window: Window) -> Value:
    seen = Evidence(candidate=side.group, baseline=baseline)
    why = _not_comparable(side, seen, key)
    before = None if baseline is None or why else baseline.metrics.get(key)
    step, share = (None, None) if before is None else _now(side, key, before)
    if stats is None:
        return Value(now_step=step, now_share=share, why=why or _nothing(side, key, window))
    medians = [run.median for run in stats.runs]
    relative = None if before is None else _relative(before.median, stats.median)
    return Value(
        median=stats.median,
        low=min(medians) if len(medians) > 1 else None,
        high=max(medians) if len(medians) > 1 else None,
        relative=relative,
        word="unknown" if before is None or baseline is None else _word(seen, key, before, stats, baseline),
        now_step=step if side.is_running else None,
        now_share=share if side.is_running else None,
        why=why,
    )


def _not_comparable(side: Side, seen: Evidence, key: str) -> str:
    if not side.different_family and seen.is_speed(key) and side.different_testbed:
        return f"not comparable: speed on different testbeds, {side.different_testbed}"
    return side.different_family


def _nothing(side: Side, key: str, window: Window) -> str:
    """Why there is no number."""
    if not all(run.of(key).is_finite for run in side.group.within(window, [key]).runs):
        return "NaN or infinite in the window"
    return "not in the window yet" if side.is_running else ""


def _word(seen: Evidence, key: str, before: KeyStats, after: KeyStats, baseline: Baseline) -> Word:
    """Close is what the baseline's own threshold would accept either way."""
    delta, direction = after.median - before.median, seen.direction(key)
    if abs(delta) <= max(baseline.threshold_pct * abs(before.median), baseline.abs_tol):
        return "close"
    if direction == "info":
        return "changed"
    return "better" if (delta > 0) == (direction == "higher") else "worse"


def _relative(before: float, after: float) -> float | None:
    return (after - before) / abs(before) if before else None


def _now(side: Side, key: str, before: KeyStats) -> tuple[float | None, float | None]:
    """Where the side is, and which share of the baseline's middle seed it has there, by its newest records.

    Each record is held against the baseline at its own step: the middle of a falling loss lies above its end.
    """
    shape = band_of(before)
    found = [run.of(key) for run in side.group.runs if len(run.of(key))]
    if shape is None or not found:
        return None, None
    step = float(min(series.steps[-1] for series in found))
    if not shape.steps[0] <= step <= shape.steps[-1]:
        return None, None
    shares = []
    for series in found:
        there = (shape.steps[0] <= series.steps) & (series.steps <= step)
        middles = np.interp(series.steps[there][-_NOW:], shape.steps, shape.middle)
        # One that is ahead may have had its first value later than that.
        if len(middles) and (middles > 0).all():
            with np.errstate(over="ignore"):  # what is too large for a number is not finite below
                shares.append(lower_median(series.values[there][-_NOW:] / middles))
    share = lower_median(np.array(shares)) if shares else math.nan
    return (step, share) if math.isfinite(share) else (None, None)
