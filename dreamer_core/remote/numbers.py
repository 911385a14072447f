"""What the server answers about metrics: records as they were sent, keys, and curves made for drawing."""

from dataclasses import dataclass

Record = dict[str, float | int | bool]


@dataclass(frozen=True, kw_only=True)
class Records:
    """Part of a run's stream. `first` is the number of its first record, `total` how many the stream has."""

    first: int
    records: tuple[Record, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class Key:
    """One series of a run, in short. NaN and infinities are counted in `non_finite` and are not in `min` and `max`."""

    key: str
    points: int
    last: float | None
    last_step: int | None
    min: float | None
    max: float | None
    non_finite: int
    first_non_finite: int | None


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One entry for each bucket along x; `count` points lie in it. About seven digits: an export is exact."""

    run: str
    key: str
    points: int  # in the range that was asked for, before they were put into buckets
    x: tuple[float, ...]
    last: tuple[float | None, ...]
    min: tuple[float | None, ...]
    max: tuple[float | None, ...]
    count: tuple[int, ...]
    non_finite: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class MissingCurve:
    run: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Curves:
    x: str  # env_steps, train_steps or wall_time_s
    curves: tuple[Curve, ...]
    missing: tuple[MissingCurve, ...]
