"""What the server answers about runs and seed groups side by side, as frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The baseline."""

    name: str
    version: int
    seeds: int
    flags: tuple[str, ...]  # what is wrong with the baseline itself


@dataclass(frozen=True, kw_only=True)
class Comparable:
    same: bool | None  # None where it is not known
    differs: str  # which field does


@dataclass(frozen=True, kw_only=True)
class ComparedMetric:
    key: str
    direction: str  # which is better: lower, higher or info
    baseline: float | None


@dataclass(frozen=True, kw_only=True)
class ComparedValue:
    """Of one side in one metric. None: there is no such number, and `why` says why."""

    median: float | None
    low: float | None
    high: float | None
    relative: float | None  # to the baseline, as a share
    word: str  # better, worse, close, changed or unknown
    now_share: float | None  # of a running side: of what the baseline's middle seed had at `now_step`
    now_step: float | None
    why: str


@dataclass(frozen=True, kw_only=True)
class Side:
    kind: str  # run or group
    id: str
    name: str
    runs: tuple[str, ...]
    seeds: int  # two runs of one seed count once
    is_running: bool
    family: Comparable
    testbed: Comparable
    values: dict[str, ComparedValue]


@dataclass(frozen=True, kw_only=True)
class SideBand:
    """Lowest, middle and highest run at each step; None where the side has nothing there."""

    low: tuple[float | None, ...]
    middle: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Bands:
    key: str
    steps: tuple[float, ...]
    baseline: SideBand | None
    sides: tuple[SideBand | None, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    baseline: Beside | None
    window: str  # where the values come from
    threshold_pct: float | None
    metrics: tuple[ComparedMetric, ...]
    sides: tuple[Side, ...]  # groups, then runs
    bands: tuple[Bands, ...]  # one for each metric
