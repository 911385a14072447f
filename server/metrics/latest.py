"""Reading the summaries of series: the last value of some keys of some runs, and all keys of one run."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import Session

from server.metrics import names
from server.metrics.batch import STEPS

_LATEST = text(
    "SELECT run_id, key_id, last, last_word FROM metric_series WHERE run_id IN :runs AND key_id IN :keys"
).bindparams(bindparam("runs", expanding=True), bindparam("keys", expanding=True))
_KEYS = text(
    "SELECT k.name, s.points, s.last, s.last_word, s.last_step, s.min, s.max, s.non_finite, s.first_non_finite"
    " FROM metric_series AS s JOIN metric_key AS k ON k.id = s.key_id"
    " WHERE s.run_id = :run_id AND k.name != :steps ORDER BY k.name"
)
_COUNT = text("SELECT count(*) FROM metric_series WHERE run_id = :run_id")


def latest(session: Session, run_ids: Sequence[str], keys: Sequence[str]) -> dict[str, dict[str, float | str]]:
    """By run and key; the word NaN, Infinity or -Infinity where it is not finite. What is missing is absent."""
    connection = session.connection()
    ids = {key_id: name for name, key_id in names.find(connection, keys).items()}
    found: dict[str, dict[str, float | str]] = {run_id: {} for run_id in run_ids}
    if not ids or not found:
        return found
    for row in connection.execute(_LATEST, {"runs": list(found), "keys": list(ids)}):
        found[row.run_id][ids[row.key_id]] = row.last_word or row.last
    return found


def count_keys(session: Session, run_id: str) -> int:
    """Of the steps too."""
    return int(session.connection().execute(_COUNT, {"run_id": run_id}).scalar_one())


def key_summaries(session: Session, run_id: str) -> list[dict[str, Any]]:
    """All keys of a run by name, with their summaries."""
    return [
        {
            "key": row.name,
            "points": row.points,
            "last": row.last_word or row.last,
            "last_step": row.last_step,
            "min": row.min,
            "max": row.max,
            "non_finite": row.non_finite,
            "first_non_finite": row.first_non_finite,
        }
        for row in session.connection().execute(_KEYS, {"run_id": run_id, "steps": STEPS})
    ]
