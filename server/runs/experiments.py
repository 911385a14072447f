"""Experiments: folders of runs. Found or made by name; deleted and restored with the runs in them."""

from typing import Any

from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, or_, select

from server import paging
from server.absent import insert_if_absent
from server.errors import ConflictError, NotFoundError
from server.ids import new_id
from server.runs.rows import is_id
from server.tables import Experiment, Run, RunState
from server.tables.base import FINAL_STATES

_ACTIVE = [state for state in RunState if state not in FINAL_STATES]


def create(session: Session, name: str, question: str, now: float) -> Experiment:
    experiment = Experiment(id=new_id(), name=name, question=question, created_at=now)
    if not insert_if_absent(session, experiment):
        raise _taken(name)
    return experiment


def ensure(session: Session, name: str, now: float) -> Experiment:
    """The experiment of this name, made if there is none. It is not deleted before this transaction ends."""
    shared = select(Experiment).where(col(Experiment.name) == name).with_for_update(read=True)
    experiment = None
    while experiment is None:  # again, if it was renamed between the two
        insert_if_absent(session, Experiment(id=new_id(), name=name, created_at=now))
        experiment = session.exec(shared.execution_options(populate_existing=True)).one_or_none()
    if experiment.deleted_at is not None:
        raise ConflictError(
            f"Experiment {name!r} is deleted.", where="experiment", seen=name, todo="Restore it, or take another name."
        )
    return experiment


def get(session: Session, experiment_id: str) -> Experiment:
    experiment = session.get(Experiment, experiment_id) if is_id(experiment_id) else None
    if experiment is None:
        raise NotFoundError.of("experiment", experiment_id)
    return experiment


def page(
    session: Session, *, q: str | None, deleted: bool, limit: int, cursor: str | None
) -> tuple[list[Experiment], str | None]:
    """The newest first."""
    query = select(Experiment).where(col(Experiment.deleted_at).is_not(None) == deleted)
    if q:
        contains = [col(text).icontains(q, autoescape=True) for text in (Experiment.name, Experiment.question)]
        query = query.where(or_(*contains))
    return paging.newest(session, query, Experiment, limit, cursor)


def count_runs(session: Session, ids: list[str]) -> dict[str, int]:
    """Of each experiment, without the deleted ones."""
    found = select(Run.experiment_id, func.count()).where(
        col(Run.experiment_id).in_(ids), col(Run.deleted_at).is_(None)
    )
    return dict(session.exec(found.group_by(col(Run.experiment_id))).all())


def edit(session: Session, experiment_id: str, changes: dict[str, Any]) -> Experiment:
    experiment = _hold(session, experiment_id)
    if changes.get("name", experiment.name) != experiment.name:
        _touch_runs(session, experiment_id)  # they show its name
    for key, value in changes.items():
        setattr(experiment, key, value)
    session.add(experiment)
    try:
        session.flush()
    except IntegrityError:
        raise _taken(str(changes.get("name"))) from None
    return experiment


def delete(session: Session, experiment_id: str, now: float) -> Experiment:
    """And its runs with it, none of which may be under way. What is deleted can be restored."""
    experiment = _hold(session, experiment_id)
    if experiment.deleted_at is not None:
        return experiment
    _hold_runs(session, experiment_id)  # of which one may just begin again
    active = select(func.count()).where(col(Run.experiment_id) == experiment_id, col(Run.state).in_(_ACTIVE))
    if count := session.exec(active).one():
        raise ConflictError(
            f"Experiment {experiment.name!r} has runs that are not over: {count}.", todo="Cancel or finish them first."
        )
    _touch_runs(session, experiment_id, deleted_at=now, where=col(Run.deleted_at).is_(None))
    experiment.deleted_at = now
    session.add(experiment)
    return experiment


def restore(session: Session, experiment_id: str) -> Experiment:
    """With the runs that were deleted with it; those that were deleted before stay so."""
    experiment = _hold(session, experiment_id)
    if experiment.deleted_at is not None:
        _touch_runs(session, experiment_id, deleted_at=None, where=col(Run.deleted_at) == experiment.deleted_at)
        experiment.deleted_at = None
        session.add(experiment)
    return experiment


def _hold(session: Session, experiment_id: str) -> Experiment:
    held = select(Experiment).where(col(Experiment.id) == experiment_id).with_for_update(key_share=True)
    found = session.exec(held.execution_options(populate_existing=True)).one_or_none() if is_id(experiment_id) else None
    if found is None:
        raise NotFoundError.of("experiment", experiment_id)
    return found


def _hold_runs(session: Session, experiment_id: str) -> None:
    held = select(Run.id).where(col(Run.experiment_id) == experiment_id).order_by(col(Run.id))
    session.exec(held.with_for_update(key_share=True)).all()


def _touch_runs(session: Session, experiment_id: str, *, where: Any = True, **changes: Any) -> None:
    _hold_runs(session, experiment_id)
    rows = update(Run).where(col(Run.experiment_id) == experiment_id, where)
    session.connection().execute(rows.values(version=Run.version + 1, **changes))


def _taken(name: str) -> ConflictError:
    return ConflictError(f"There is an experiment {name!r} already.", where="name", seen=name)
