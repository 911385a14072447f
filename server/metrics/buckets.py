"""What a curve is drawn from: where each bucket of points is, its least, greatest and last value, and how many."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from server.metrics.columns import Floats, Ints


@dataclass(frozen=True)
class Buckets:
    """One row per axis, one column per bucket. NaN in an axis: none of the points says where it is on it."""

    x_low: Floats  # (axes, buckets)
    x_high: Floats
    x_last: Floats
    non_finite: Ints  # (buckets,)
    low: Floats  # of the finite values; NaN if there is none
    high: Floats
    last: Floats  # finite or not
    count: Ints

    def __len__(self) -> int:
        return len(self.count)

    @classmethod
    def of_points(cls, axes: Floats, values: Floats) -> "Buckets":
        finite = np.isfinite(values)
        seen = values if finite.all() else np.where(finite, values, np.nan)
        return cls(axes, axes, axes, (~finite).astype(np.int64), seen, seen, values, np.ones(len(values), np.int64))

    @classmethod
    def joined(cls, parts: Sequence["Buckets"]) -> "Buckets":
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts], axis=-1) for each in fields(cls)))

    def taken(self, which: "slice | Ints") -> "Buckets":
        return Buckets(*(getattr(self, each.name)[..., which] for each in fields(self)))

    def merged(self, starts: Ints) -> "Buckets":
        """One bucket from each of `starts` up to the next of them."""
        if len(starts) == len(self):
            return self
        ends = np.append(starts[1:], len(self)) - 1
        return Buckets(
            np.fmin.reduceat(self.x_low, starts, axis=1),
            np.fmax.reduceat(self.x_high, starts, axis=1),
            _last_known(self.x_last, starts, ends),
            np.add.reduceat(self.non_finite, starts),
            np.fmin.reduceat(self.low, starts),
            np.fmax.reduceat(self.high, starts),
            self.last[ends],
            np.add.reduceat(self.count, starts),
        )


def group_starts(count: int, size: int) -> Ints:
    """Where groups of `size` begin, to merge `count` buckets by."""
    return np.arange(0, count, size)


def _last_known(x: Floats, starts: Ints, ends: Ints) -> Floats:
    last = x[:, ends]
    if not np.isnan(last).any():
        return last
    places = np.where(np.isnan(x), 0, np.arange(x.shape[1]))  # 0 where unknown: if all are, x[starts] is NaN as well
    found = np.maximum(np.maximum.reduceat(places, starts, axis=1), starts)
    return np.take_along_axis(x, found, axis=1)
