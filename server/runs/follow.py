"""Somebody else's trainer says how far it is by its records; a job's worker says that itself."""

import numpy as np
from sqlalchemy import text
from sqlmodel import Session

from server.jsonvalues import LARGEST
from server.metrics.batch import Batch
from server.metrics.columns import Floats

_FOLLOW = text(
    "UPDATE run SET version = version + 1, updated_at = :now,"
    " env_steps = CASE WHEN env_steps < :env_steps THEN :env_steps ELSE env_steps END,"
    " train_steps = CASE WHEN train_steps < :train_steps THEN :train_steps ELSE train_steps END"
    " WHERE id = :run_id AND (env_steps < :env_steps OR train_steps < :train_steps)"
    " AND NOT EXISTS (SELECT 1 FROM job WHERE job.run_id = run.id)"
)


def follow(session: Session, run_id: str, batch: Batch, now: float) -> None:
    """The run is held."""
    env_steps, train_steps, _ = batch.axes
    reached = {"env_steps": _furthest(env_steps), "train_steps": _furthest(train_steps)}
    session.connection().execute(_FOLLOW, {"run_id": run_id, "now": now, **reached})


def _furthest(axis: Floats) -> int:
    """-1 where no record says it."""
    said = axis[np.isfinite(axis)]
    return int(min(said.max(), LARGEST)) if len(said) else -1
