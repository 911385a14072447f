"""What is known of a series without reading it: how many points, the last, the least and the greatest."""

import math
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from dreamer_core.metrics.jsonsafe import word
from server.metrics.batch import Batch

# An older minimum stays unless the new one is less, or there was none; what has no finite value has NULL, which is
# never less. The same words for SQLite and Postgres.
_ADD = text(
    "INSERT INTO metric_series AS old (run_id, key_id, points, folded, non_finite, first_non_finite, last, last_word,"
    ' last_step, "min", "max")'
    " VALUES (:run_id, :key_id, :points, 0, :non_finite, :first_non_finite, :last, :last_word, :last_step, :low, :high)"
    " ON CONFLICT (run_id, key_id) DO UPDATE SET"
    " points = old.points + excluded.points,"
    " non_finite = old.non_finite + excluded.non_finite,"
    " first_non_finite = coalesce(old.first_non_finite, excluded.first_non_finite),"
    " last = excluded.last, last_word = excluded.last_word, last_step = excluded.last_step,"
    ' "min" = CASE WHEN excluded."min" < old."min" OR old."min" IS NULL THEN excluded."min" ELSE old."min" END,'
    ' "max" = CASE WHEN excluded."max" > old."max" OR old."max" IS NULL THEN excluded."max" ELSE old."max" END'
)


def add(connection: Connection, run_id: str, batch: Batch) -> None:
    """Bring the summaries of all keys of a batch up to date."""
    rows = _summaries(batch)
    for row in rows:
        row["run_id"] = run_id
    if rows:
        connection.execute(_ADD, rows)


def number_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _summaries(batch: Batch) -> list[dict[str, Any]]:
    starts = batch.starts
    if not len(starts):
        return []
    ends = starts + batch.counts - 1
    finite = np.isfinite(batch.values)
    seen = np.where(finite, batch.values, np.nan)
    first_bad = _first_non_finite(batch, finite)
    columns = (
        batch.keys,
        batch.counts,
        np.add.reduceat(~finite, starts, dtype=np.int64),
        batch.values[ends],
        batch.axes[0][batch.numbers[ends]],
        np.fmin.reduceat(seen, starts),
        np.fmax.reduceat(seen, starts),
    )
    return [
        {
            "key_id": key_id,
            "points": points,
            "non_finite": non_finite,
            "first_non_finite": first_bad.get(key_id),
            "last": number_or_none(last),
            "last_word": word(last),
            "last_step": int(last_step),
            "low": number_or_none(low),
            "high": number_or_none(high),
        }
        for key_id, points, non_finite, last, last_step, low, high in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def _first_non_finite(batch: Batch, finite: "np.ndarray[Any, np.dtype[np.bool_]]") -> dict[int, int]:
    """The step of the first of each key that has one."""
    bad = np.flatnonzero(~finite)
    if not len(bad):
        return {}
    owners = np.repeat(batch.keys, batch.counts)[bad]
    keys, places = np.unique(owners, return_index=True)
    steps = batch.axes[0][batch.numbers[bad[places]]]
    return {int(key): int(step) for key, step in zip(keys, steps, strict=True)}
