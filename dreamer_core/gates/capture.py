"""Blessing: from the numbers of a run or a seed group to a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dreamer_core.errors import UsageError
from dreamer_core.gates.baseline import (
    ABS_TOL,
    FEWEST_RECORDS,
    THRESHOLD_PCT,
    Band,
    Baseline,
    Curve,
    Flag,
    KeyStats,
    RunFacts,
    RunStats,
)
from dreamer_core.gates.group import RunNumbers, SeedGroup
from dreamer_core.gates.measure import deviation, lower_median, thin
from dreamer_core.gates.series import Window
from dreamer_core.gates.words import some

CURVE_POINTS = 128
# What nobody blesses by accident.
NEED_CONSENT = frozenset({Flag.FAILED, Flag.UNFINISHED, Flag.DIRTY, Flag.SINGLE_SEED})


@dataclass(frozen=True, kw_only=True)
class Blessing:
    """What the one who blesses says, beside the numbers."""

    created_at: str
    source: str
    name: str = ""
    who: str = ""
    why: str = ""
    threshold_pct: float = THRESHOLD_PCT
    abs_tol: float = ABS_TOL
    window: Window = field(default_factory=Window)


def capture(group: SeedGroup, keys: Sequence[str], blessing: Blessing, *, curve_points: int = CURVE_POINTS) -> Baseline:
    """`keys` in the order they are to be kept. Those that no run has, or some run has not, are `missing_keys`."""
    windowed = group.within(blessing.window, keys)
    count = sum(len(run.record_steps) for run in windowed.runs)
    if not count:
        raise UsageError(f"no record is in the window: {blessing.window}; {_extent(group)}")
    if silent := [str(run) for run in windowed.runs if not len(run.record_steps)]:
        raise UsageError(f"nothing was recorded by {some(silent)} in the window: bless the others by name")
    non_finite = {key: bad for key in keys if (bad := _count_non_finite(windowed, key))}
    kept = [key for key in dict.fromkeys(keys) if key not in non_finite and all(len(r.of(key)) for r in windowed.runs)]
    if not kept:
        raise UsageError(f"not every run has finite numbers of any of {some(list(keys))}; there is {some(group.keys)}")
    first_step, last_step = _step_range(windowed)
    with np.errstate(all="ignore"):  # near the end of the range a deviation overflows, and is infinite
        metrics = {key: _stats(group, windowed, key, curve_points) for key in kept}
    return Baseline(
        created_at=blessing.created_at,
        source=blessing.source,
        input_kind=group.input_kind,
        env_steps_min=first_step,
        env_steps_max=last_step,
        count=count,
        metrics=metrics,
        missing_keys=tuple(key for key in dict.fromkeys(keys) if key not in kept),
        threshold_pct=blessing.threshold_pct,
        abs_tol=blessing.abs_tol,
        name=blessing.name,
        who=blessing.who,
        why=blessing.why,
        asked=blessing.window,
        flags=_flags(windowed) | ({Flag.NON_FINITE} if non_finite else set()),
        non_finite=non_finite,
        runs=tuple(RunFacts(run=run.name, seed=run.seed, task=run.task, facts=run.facts) for run in group.runs),
        directions=dict(group.directions),
        speed_keys=group.speed_keys,
    )


def refuse_unless_allowed(baseline: Baseline, allowed: frozenset[Flag]) -> None:
    """A baseline from a failed, unfinished, dirty or single run is a decision, not an accident."""
    unsaid = sorted((baseline.flags & NEED_CONSENT) - allowed)
    if unsaid:
        raise UsageError(
            f"{baseline.source} is {' and '.join(unsaid)}: not blessed. If it is meant, allow it by name (from a "
            f"terminal: --allow {','.join(unsaid)}); every later verdict will say so"
        )


def replace_baseline(old: Baseline, new: Baseline) -> Baseline:
    """The next version of `old`. It takes a reason, and numbers of the same family."""
    if not new.why:
        raise UsageError(f"{old.title} can only be replaced with a reason: say why")
    families = [{run.facts.family for run in side.runs if run.facts.family} for side in (old, new)]
    if all(families) and families[0] != families[1]:
        raise UsageError(
            f"{old.title} is of family {some(sorted(families[0]))}, the new one of {some(sorted(families[1]))}: "
            "give it a name of its own"
        )
    return replace(new, name=old.name, version=old.version + 1)


def _step_range(group: SeedGroup) -> tuple[int | None, int | None]:
    """First and last step of the records. None where they do not say, and for a summary, which has no step."""
    steps = np.concatenate([run.record_steps for run in group.runs])
    known = steps[np.isfinite(steps)] if group.input_kind == "jsonl" else steps[:0]
    return (int(known.min()), int(known.max())) if len(known) else (None, None)


def _stats(group: SeedGroup, windowed: SeedGroup, key: str, curve_points: int) -> KeyStats:
    runs = tuple(
        RunStats(
            run=run.name, seed=run.seed, task=run.task, median=lower_median(run.of(key).values), n=len(run.of(key))
        )
        for run in windowed.runs
    )
    medians = np.array([run.median for run in runs])
    spreads = [deviation(run.of(key).values, lower_median(run.of(key).values)) for run in windowed.runs]
    curves = tuple(_curve(run, key, curve_points) for run in group.runs if curve_points)
    return KeyStats(
        median=lower_median(medians),
        n=sum(run.n for run in runs),
        mad=lower_median(np.array(spreads)),
        sd=float(medians.std(ddof=1)) if len(medians) > 1 else None,
        runs=runs,
        curves=curves,
        band=band_of(curves),
    )


def _curve(run: RunNumbers, key: str, points: int) -> Curve:
    series = run.of(key)
    thinned = thin(series, points)
    return Curve(run=run.name, steps=thinned.steps, values=thinned.values, is_thinned=len(thinned) < len(series))


def band_of(curves: Sequence[Curve]) -> Band | None:
    """At the steps of the first curve that all curves reach. None where there is nothing to draw."""
    usable = [curve for curve in curves if len(curve.steps) > 1 and np.isfinite(curve.steps).all()]
    if not usable or len(usable) < len(curves):
        return None
    low, high = max(curve.steps[0] for curve in usable), min(curve.steps[-1] for curve in usable)
    steps = usable[0].steps[(usable[0].steps >= low) & (usable[0].steps <= high)]
    rows = np.sort([np.interp(steps, curve.steps, curve.values) for curve in usable], axis=0)
    return Band(steps=steps, low=rows[0], middle=rows[(len(rows) - 1) // 2], high=rows[-1]) if len(steps) else None


def _count_non_finite(group: SeedGroup, key: str) -> int:
    return sum(int(np.count_nonzero(~np.isfinite(run.of(key).values))) for run in group.runs)


def _flags(group: SeedGroup) -> frozenset[Flag]:
    facts = [run.facts for run in group.runs]
    seeds = [(run.task, run.seed) for run in group.runs if run.seed is not None]
    found = {
        Flag.FAILED: any(fact.has_failed for fact in facts),
        Flag.UNFINISHED: any(fact.is_unfinished for fact in facts),
        Flag.DIRTY: any(fact.dirty for fact in facts),
        Flag.SINGLE_SEED: len(group.runs) == 1,
        Flag.REPEATED_SEED: len(set(seeds)) < len(seeds),
        Flag.MIXED: len({(run.task, run.facts.fingerprint) for run in group.runs if run.facts.fingerprint})
        > len({run.task for run in group.runs}),
        Flag.SHORT_WINDOW: group.input_kind == "jsonl"
        and any(len(run.record_steps) < FEWEST_RECORDS for run in group.runs),
    }
    return frozenset(flag for flag, is_so in found.items() if is_so)


def _extent(group: SeedGroup) -> str:
    return some([f"{run} has {run.extent}" for run in group.runs]) or "there are no runs"
