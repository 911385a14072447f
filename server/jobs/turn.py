"""Whose turn it is: the order in which jobs are claimed, and which may start at all."""

from typing import Any

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from server.tables import Job

# Higher priorities first, then the older ones; the id decides between equals, so that the order is always the same.
ORDER: tuple[Any, ...] = (col(Job.priority).desc(), col(Job.queued_at), col(Job.run_id))


def has_come(now: float) -> ColumnElement[bool]:
    """Not while it waits for a time, after a lost worker."""
    return or_(col(Job.not_before).is_(None), col(Job.not_before) <= now)
