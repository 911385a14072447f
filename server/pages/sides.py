"""Runs and seed groups beside a baseline: final values, who is ahead at equal steps, and what may not be compared."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sqlmodel import Session

from dreamer_core import gates
from dreamer_core.errors import UsageError
from dreamer_core.gates import Baseline, Blessing, Evidence, RunNumbers, SeedGroup, Series, Window
from dreamer_core.gates.baseline import Band, KeyStats
from dreamer_core.gates.capture import CURVE_POINTS
from dreamer_core.gates.comparable import differing_family, differing_testbed
from dreamer_core.gates.measure import lower_median
from server.gates import evidence
from server.metrics.curves import Asked, Curve, read_curves
from server.tables import Run

Word = Literal["better", "worse", "close", "changed", "unknown"]
Kind = Literal["run", "group"]

_LAST = Window(last=25)  # where no baseline says a window
_POINTS = 200
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


@dataclass(frozen=True, kw_only=True)
class Side:
    kind: Kind
    id: str  # of the run, or the hash of the group
    runs: Sequence[Run]
    group: SeedGroup
    different_family: str  # which field differs; empty where nothing speaks against it
    different_testbed: str | None  # None: not known

    @property
    def label(self) -> str:
        return self.runs[0].name

    @property
    def is_running(self) -> bool:
        return any(not run.state.is_final for run in self.runs)

    @property
    def address(self) -> str:
        return f"/runs/{self.id}" if self.kind == "run" else f"/runs?seed_group={self.id}"


def runs_of(session: Session, kind: Kind, name: str) -> list[Run]:
    """By seed."""
    runs = evidence.chosen(session, [name] if kind == "run" else [], name if kind == "group" else None)
    return sorted(runs, key=lambda run: (run.seed is None, run.seed or 0, run.id))


def read_side(session: Session, kind: Kind, name: str, baseline: Baseline | None) -> Side:
    runs = runs_of(session, kind, name)
    group = evidence.group_of(session, runs)
    seen = Evidence(candidate=group, baseline=baseline)
    return Side(
        kind=kind,
        id=name,
        runs=runs,
        group=group,
        different_family="" if baseline is None else differing_family(baseline, seen),
        different_testbed=None if baseline is None else differing_testbed(baseline, seen),
    )


def values(side: Side, keys: Sequence[str], baseline: Baseline | None) -> dict[str, Value]:
    """In the baseline's window; of what has not come so far, how it stands at the step where it is."""
    window = _LAST if baseline is None else baseline.window
    stats = _captured(side.group, keys, window)
    return {key: _value(side, key, stats.get(key), baseline) for key in keys}


def bands(session: Session, groups: Sequence[Sequence[Run]], key: str) -> list[Band | None]:
    """Lowest, middle and highest run of each, over the whole of them. From their curves, which are short to read."""
    ids = [run.id for runs in groups for run in runs]
    curves = read_curves(session, Asked(runs=list(dict.fromkeys(ids)), keys=[key], points=_POINTS))
    drawn = {curve.run: _numbers(curve) for curve in curves}
    return [_band_over([drawn[run.id] for run in runs if run.id in drawn], key) for runs in groups]


def band(stats: KeyStats) -> Band | None:
    if stats.band is not None:
        return stats.band
    first = stats.curves[0] if stats.curves else None
    if first is None or not np.isfinite(first.steps).all():
        return None
    return Band(steps=first.steps, low=first.values, middle=first.values, high=first.values)


def _numbers(curve: Curve) -> RunNumbers:
    """What is not finite has no place in a picture."""
    steps, values = curve.buckets.x_last[0], curve.buckets.last
    kept = np.isfinite(values) & np.isfinite(steps)
    steps = steps[kept]
    series = Series(steps=steps, values=values[kept], records=np.arange(len(steps)))
    return RunNumbers(name=curve.run, series={curve.key: series}, record_steps=steps)


def _band_over(runs: Sequence[RunNumbers], key: str) -> Band | None:
    stats = _captured(SeedGroup(runs=tuple(runs)), [key], Window(), curve_points=_POINTS).get(key)
    return None if stats is None else band(stats)


def _captured(
    group: SeedGroup, keys: Sequence[str], window: Window, *, curve_points: int = CURVE_POINTS
) -> Mapping[str, KeyStats]:
    blessing = Blessing(created_at="", source="", window=window)
    try:
        return gates.capture(group, keys, blessing, curve_points=curve_points).metrics
    except UsageError:  # nothing of it is in the window
        return {}


def _value(side: Side, key: str, stats: KeyStats | None, baseline: Baseline | None) -> Value:
    seen = Evidence(candidate=side.group, baseline=baseline)
    why = side.different_family
    if not why and seen.is_speed(key) and side.different_testbed:
        why = f"not comparable: speed on different testbeds, {side.different_testbed}"
    before = None if baseline is None or why else baseline.metrics.get(key)
    step, share = (None, None) if before is None else _now(side, key, before)
    if stats is None:
        return Value(now_step=step, now_share=share, why=why or "not in the window yet" * side.is_running)
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
    """Where the side is, and which share of the baseline's middle seed it has there, by its newest records."""
    shape = band(before)
    found = [run.of(key) for run in side.group.runs if len(run.of(key))]
    if shape is None or not found:
        return None, None
    step = float(min(series.steps[-1] for series in found))
    if not shape.steps[0] <= step <= shape.steps[-1]:
        return None, None
    there = [series.values[series.steps <= step][-_NOW:] for series in found]
    now = lower_median(np.array([lower_median(values) for values in there]))
    middle = float(np.interp(step, shape.steps, shape.middle))
    share = now / middle if middle > 0 else math.nan
    return (step, share) if math.isfinite(share) else (None, None)
