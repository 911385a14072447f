"""A baseline: what a blessed run or seed group scored, over which window, and where that came from. Never changed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dreamer_core.gates.group import Facts, InputKind
from dreamer_core.gates.series import Floats, Window
from dreamer_core.metrics.names import Direction

THRESHOLD_PCT = 0.15  # a share of the baseline, whatever the name says; the file format is older than this project
ABS_TOL = 1e-6
FEWEST_RECORDS = 3  # a median of fewer is no more than one of its values


class Flag(StrEnum):
    """What a verdict against this baseline must never hide."""

    FAILED = "failed"  # a run that failed
    UNFINISHED = "unfinished"  # a run that had not ended
    DIRTY = "dirty"  # code that is in no commit
    SINGLE_SEED = "single_seed"  # an anecdote
    REPEATED_SEED = "repeated_seed"  # two runs of one seed are not two seeds
    MIXED = "mixed"  # the runs differ in more than the seed
    SHORT_WINDOW = "short_window"  # fewer than FEWEST_RECORDS
    NON_FINITE = "non_finite"  # NaN or infinity in the window; those metrics are left out


@dataclass(frozen=True, kw_only=True)
class RunStats:
    """One metric of one run, inside the window."""

    run: str
    seed: int | None = None
    task: str = ""
    median: float
    n: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One metric of one run, over the whole run."""

    run: str
    steps: Floats
    values: Floats
    is_thinned: bool = False  # points stand for stretches of several records


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """Lowest, middle and highest run at matched steps."""

    steps: Floats
    low: Floats
    middle: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True)
class KeyStats:
    median: float  # lower median over runs, of each run's lower median over records
    n: int  # values inside the window, over all runs
    mad: float = 0.0  # middle distance of records from their run's median, in the middle run
    sd: float | None = None  # over the runs' medians; None for a single run
    runs: tuple[RunStats, ...] = ()
    curves: tuple[Curve, ...] = field(default=(), compare=False)
    band: Band | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    run: str
    seed: int | None = None
    task: str = ""
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    created_at: str  # ISO 8601, UTC
    source: str
    input_kind: InputKind
    env_steps_min: int | None  # of the records that were used
    env_steps_max: int | None
    count: int  # records that were used, over all runs
    metrics: Mapping[str, KeyStats]
    missing_keys: tuple[str, ...] = ()
    threshold_pct: float = THRESHOLD_PCT
    abs_tol: float = ABS_TOL
    name: str = ""
    version: int = 1
    who: str = ""
    why: str = ""
    asked: Window = field(default_factory=Window)  # the window that was asked for
    flags: frozenset[Flag] = frozenset()
    non_finite: Mapping[str, int] = field(default_factory=dict)  # metric: how many values were not finite
    runs: tuple[RunFacts, ...] = ()
    directions: Mapping[str, Direction] = field(default_factory=dict)
    speed_keys: frozenset[str] = frozenset()

    @property
    def keys(self) -> list[str]:
        return sorted(self.metrics)

    @property
    def window(self) -> Window:
        """Where a candidate is looked at: the same steps, and half the way to the records that would come next.

        Runs that end at the same step record it a few steps sooner or later, each seed in its own way. What was asked
        for stays a bound.
        """
        low, high, slack = self.env_steps_min, self.env_steps_max, self._half_a_record
        return Window(
            env_steps_min=None if low is None else max(low - slack, self.asked.env_steps_min or 0),
            env_steps_max=None if high is None else min(high + slack, self.asked.env_steps_max or math.inf),
        )

    @property
    def _half_a_record(self) -> int:
        """Of the steps from one record to the next, half."""
        runs = max(1, len(self.runs))
        if self.env_steps_min is None or self.env_steps_max is None or self.count <= runs:
            return 0
        return int((self.env_steps_max - self.env_steps_min) / (self.count / runs - 1) / 2)

    @property
    def title(self) -> str:
        return f"{self.name or self.source} v{self.version}"
