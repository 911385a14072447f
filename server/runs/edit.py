"""What people change about a run: its words, its tags, and whether it is there at all."""

from typing import Any

from sqlalchemy import delete as delete_rows
from sqlmodel import Session, col, select

from server import etags
from server.errors import ApiError, ConflictError
from server.runs.out import has_begun
from server.runs.rows import get_run, hold_run, hold_runs, touch
from server.tables import Job, Run, RunTag

WRITTEN_BEFORE = ("hypothesis", "primary_metric", "stop_rule")  # a run begins, or not at all


class StaleError(ApiError):
    """What was to be changed has changed since it was read."""

    status, code = 412, "stale"


def edit(
    session: Session,
    run_id: str,
    changes: dict[str, Any],
    now: float,
    *,
    if_match: str | None = None,
    group: bool = False,
) -> list[Run]:
    """The run, and with `group` every run of its seed group in its experiment: all of them, or none."""
    runs = _hold_group(session, run_id) if group else [hold_run(session, run_id)]
    _check_version(next(run for run in runs if run.id == run_id), if_match)
    for run in runs:
        _check_not_begun(session, run, changes)
        if "tags" in changes:
            set_tags(session, run.id, changes["tags"])
        touch(session, run, now, **{key: value for key, value in changes.items() if key != "tags"})
    return runs


def _hold_group(session: Session, run_id: str) -> list[Run]:
    """In the order in which everybody holds many."""
    run = get_run(session, run_id)
    others = select(Run.id).where(
        Run.seed_group == run.seed_group, Run.experiment_id == run.experiment_id, col(Run.deleted_at).is_(None)
    )
    ids = sorted({run_id, *session.exec(others)})
    hold_runs(session, ids)
    return [hold_run(session, each) for each in ids]


def _check_version(run: Run, if_match: str | None) -> None:
    if if_match is not None and not etags.names(if_match, f'"{run.version}"'):
        raise StaleError(
            f"Run {run.id} has changed since.", where="If-Match", seen=if_match, todo=f'It is at "{run.version}" now.'
        )


def _check_not_begun(session: Session, run: Run, changes: dict[str, Any]) -> None:
    """To say again what is said already is no change."""
    changed = [name for name in WRITTEN_BEFORE if name in changes and changes[name] != getattr(run, name)]
    job = session.get(Job, run.id) if changed else None
    if changed and has_begun(run, 0 if job is None else job.attempts):
        raise ConflictError(
            f"Run {run.id} has begun: its {changed[0].replace('_', ' ')} is fixed.",
            where=changed[0],
            seen=run.state,
            todo="Write an annotation, or the conclusion.",
        )


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
