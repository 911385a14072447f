"""Reading a run's row, holding it for a change, and changing it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from server.errors import NotFoundError
from server.ids import LENGTH
from server.tables import Run

# A list, and most changes, can do without the long columns; what asks for them loads them.
LEAN = (defer(col(Run.config)), defer(col(Run.manifest)))  # type: ignore[arg-type]


def get_run(session: Session, run_id: str) -> Run:
    run = session.get(Run, run_id) if is_id(run_id) else None
    if run is None:
        raise NotFoundError.of("run", run_id)
    return run


def need_run(session: Session, run_id: str) -> None:
    """For whoever reads what belongs to a run, and not its row."""
    if not is_id(run_id) or session.exec(select(Run.id).where(Run.id == run_id)).first() is None:
        raise NotFoundError.of("run", run_id)


def hold_run(session: Session, run_id: str) -> Run:
    """The run, which nobody else can change until this transaction ends. Hold it before its job and its streams."""
    if not is_id(run_id):
        raise NotFoundError.of("run", run_id)
    query = select(Run).where(col(Run.id) == run_id).options(*LEAN).with_for_update(key_share=True)
    run = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if run is None:
        raise NotFoundError.of("run", run_id)
    return run


def hold_runs(session: Session, run_ids: Sequence[str]) -> None:
    """Many at once, always in the same order: two who hold many cannot wait for each other."""
    query = select(Run.id).where(col(Run.id).in_(run_ids)).order_by(col(Run.id))
    session.exec(query.with_for_update(key_share=True)).all()


def touch(session: Session, run: Run, now: float, **changes: Any) -> None:
    """Change a run that is held; whoever polls sees a new version."""
    for name, value in changes.items():
        setattr(run, name, value)
    run.version += 1
    run.updated_at = now
    session.add(run)


def is_id(text: str) -> bool:
    """Whether it could be an id. What could not is never asked of the database, which would refuse some of it."""
    return 0 < len(text) <= LENGTH and text.isascii() and text.isalnum()
