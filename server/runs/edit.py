"""What people change about a run: its words, its tags, and whether it is there at all."""

from typing import Any

from sqlalchemy import delete as delete_rows
from sqlmodel import Session, col

from server import etags
from server.errors import ApiError, ConflictError
from server.runs.rows import hold_run, touch
from server.tables import Run, RunTag


class StaleError(ApiError):
    """What was to be changed has changed since it was read."""

    status, code = 412, "stale"


def edit(session: Session, run_id: str, changes: dict[str, Any], now: float, *, if_match: str | None = None) -> Run:
    run = hold_run(session, run_id)
    if if_match is not None and not etags.names(if_match, f'"{run.version}"'):
        raise StaleError(
            f"Run {run_id} has changed since.", where="If-Match", seen=if_match, todo=f'It is at "{run.version}" now.'
        )
    if "tags" in changes:
        set_tags(session, run_id, changes["tags"])
    touch(session, run, now, **{key: value for key, value in changes.items() if key != "tags"})
    return run


def delete(session: Session, run_id: str, now: float) -> Run:
    """Out of the lists; nothing is lost, and it can be restored."""
    run = hold_run(session, run_id)
    if not run.state.is_final:
        raise ConflictError(
            f"Run {run_id} is {run.state}.", where="state", seen=run.state, todo="Cancel or finish it first."
        )
    if run.deleted_at is None:
        touch(session, run, now, deleted_at=now)
    return run


def restore(session: Session, run_id: str, now: float) -> Run:
    run = hold_run(session, run_id)
    if run.deleted_at is not None:
        touch(session, run, now, deleted_at=None)
    return run


def set_tags(session: Session, run_id: str, tags: list[str]) -> None:
    session.connection().execute(delete_rows(RunTag).where(col(RunTag.run_id) == run_id))
    session.add_all(RunTag(run_id=run_id, tag=tag) for tag in sorted(set(tags)))
    session.flush()
