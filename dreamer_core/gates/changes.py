"""Where in a history the level changed: binary segmentation, each change tested by permutation.

Each permutation is searched as the history is, so that having looked everywhere is accounted for. Seeded: the same
history gives the same answer.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dreamer_core.gates.series import Floats

SHORTEST = 3  # values on each side of a change
PERMUTATIONS = 999


@dataclass(frozen=True, kw_only=True)
class Change:
    at: int  # the first value of the new level
    before: float  # medians of the stretches on both sides, up to the changes next to it
    after: float
    p: float


def find_changes(values: Floats, *, alpha: float) -> list[Change]:
    """From the oldest to the newest. All values are finite."""
    found = sorted(_split(values, 0, len(values), alpha))
    edges = [0, *(at for at, _ in found), len(values)]
    return [
        Change(
            at=at,
            before=float(np.median(values[edges[number] : at])),
            after=float(np.median(values[at : edges[number + 2]])),
            p=p,
        )
        for number, (at, p) in enumerate(found)
    ]


def _split(values: Floats, start: int, end: int, alpha: float) -> list[tuple[int, float]]:
    count = end - start
    if count < 2 * SHORTEST:
        return []
    stretch = values[start:end]
    distances = _distances(np.concatenate((stretch[None], stretch[_orders(count)])))
    peaks = distances.max(axis=1)
    p = float(np.count_nonzero(peaks >= peaks[0] * (1 - 1e-12)) / len(peaks))
    if not p <= alpha or not peaks[0] > 0:
        return []
    at = start + SHORTEST + int(distances[0].argmax())
    return [*_split(values, start, at, alpha), (at, p), *_split(values, at, end, alpha)]


def _distances(rows: Floats) -> Floats:
    """For each row and each place: the difference of the means on both sides, weighted as in Welch's t."""
    count = rows.shape[1]
    left = np.arange(SHORTEST, count - SHORTEST + 1)
    sums = np.cumsum(rows, axis=1)
    before = sums[:, left - 1] / left
    after = (sums[:, -1:] - sums[:, left - 1]) / (count - left)
    weighted: Floats = np.abs(before - after) * np.sqrt(left * (count - left) / count)
    return weighted


@lru_cache(maxsize=64)
def _orders(count: int) -> NDArray[np.intp]:
    rng = np.random.default_rng((count, PERMUTATIONS))
    return np.argsort(rng.random((PERMUTATIONS, count)), axis=1)
