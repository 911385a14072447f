"""Records as columns: the axes of each record, and the points of each key. So they are parsed, kept and folded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from server.metrics.columns import Columns, Floats, Ints, pack

AXES = ("env_steps", "train_steps", "wall_time_s")
STEPS = AXES[0]  # every record has it: it is kept as a series too, and the only one that no record lacks


@dataclass(frozen=True)
class Batch:
    axes: Floats  # (3, records), NaN where a record does not say
    keys: Ints  # (keys,)
    counts: Ints  # (keys,) points of each, never 0
    numbers: Ints  # (points,) the record that each point is in; one key after the other, ascending within each
    values: Floats  # (points,)

    @property
    def records(self) -> int:
        return int(self.axes.shape[1])

    @property
    def is_whole(self) -> bool:
        """Every key in every record."""
        return len(self.values) == len(self.keys) * self.records

    @property
    def starts(self) -> Ints:
        return np.cumsum(self.counts) - self.counts

    def after(self, first: int) -> "Batch":
        """Without the first records."""
        kept = self.numbers >= first
        batch = self._where(kept)
        return replace(batch, axes=self.axes[:, first:], numbers=batch.numbers - first)

    def before(self, end: int) -> "Batch":
        """The first records only."""
        return replace(self._where(self.numbers < end), axes=self.axes[:, :end])

    def only(self, keys: Ints) -> "Batch":
        wanted = np.isin(self.keys, keys)
        return self if wanted.all() else self._where(np.repeat(wanted, self.counts))

    def points(self) -> dict[int, tuple[Ints, Floats]]:
        """For each key, in which records its points are and their values."""
        ends = np.cumsum(self.counts).tolist()
        return {
            key: (self.numbers[end - count : end], self.values[end - count : end])
            for key, count, end in zip(self.keys.tolist(), self.counts.tolist(), ends, strict=True)
        }

    def _where(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> "Batch":
        owners = np.repeat(np.arange(len(self.keys)), self.counts)[kept]
        counts = np.bincount(owners, minlength=len(self.keys))
        some = counts > 0
        return Batch(self.axes, self.keys[some], counts[some], self.numbers[kept], self.values[kept])


def joined(batches: Sequence[Batch]) -> Batch:
    """One after the other."""
    if len(batches) == 1:
        return batches[0]
    axes = np.concatenate([batch.axes for batch in batches], axis=1)
    keys = batches[0].keys
    if all(batch.is_whole and np.array_equal(batch.keys, keys) for batch in batches):  # the usual, and quick
        columns = np.concatenate([batch.values.reshape(len(keys), batch.records) for batch in batches], axis=1)
        return _whole(axes, keys, columns.reshape(-1))
    firsts = np.cumsum([0] + [batch.records for batch in batches[:-1]])
    owners = np.concatenate([np.repeat(batch.keys, batch.counts) for batch in batches])
    numbers = np.concatenate([batch.numbers + first for batch, first in zip(batches, firsts, strict=True)])
    order = np.argsort(owners, kind="stable")
    found, counts = np.unique(owners, return_counts=True)
    values = np.concatenate([batch.values for batch in batches])
    return Batch(axes, found, counts.astype(np.int64), numbers[order], values[order])


def encode(batch: Batch) -> bytes:
    numbers = batch.numbers[:0] if batch.is_whole else batch.numbers
    whole = [batch.keys, batch.counts, numbers]
    return pack([*batch.axes, *(column.astype(np.float64) for column in whole), batch.values], small=False)


def decode(body: bytes) -> Batch:
    columns = Columns(body)
    keys, counts, numbers = (columns[index].astype(np.int64) for index in (3, 4, 5))
    axes = np.stack([columns[0], columns[1], columns[2]])
    if not len(numbers):
        return _whole(axes, keys, columns[6])
    return Batch(axes, keys, counts, numbers, columns[6])


def _whole(axes: Floats, keys: Ints, values: Floats) -> Batch:
    """Every key in every record."""
    records = axes.shape[1]
    return Batch(axes, keys, np.full(len(keys), records), np.tile(np.arange(records), len(keys)), values)
