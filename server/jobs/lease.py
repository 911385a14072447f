"""Who may write to a run: while a job runs, only the attempt that holds its lease."""

from typing import Annotated

from fastapi import Header
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from server.errors import LeaseLostError, NotFoundError
from server.runs.rows import is_id
from server.tables import Job, Run, RunState

HEADER = "X-Dreamgate-Lease"

# Every batch of metrics asks them: made once, and without the ORM, they take a fifth of the time.
_HOLD = select(Run.state).where(col(Run.id) == bindparam("run_id")).with_for_update(key_share=True)
_LEASE = select(Job.lease_token, Job.run_id).where(col(Job.run_id) == bindparam("run_id"))

Lease = Annotated[str | None, Header(alias=HEADER, max_length=64, description="of the attempt that writes")]


def require_lease(session: Session, run_id: str, token: str | None, *, final_will_do: bool = False) -> None:
    """Refuse whoever may not write to this run now, and keep it so until the transaction ends.

    The run's row stays locked (on Postgres; SQLite has one writer anyway): nobody can take the lease away between this
    question and the write. A run without a job needs no lease. `final_will_do`: nor does one that is over.
    """
    state = _hold(session, run_id)
    job = session.connection().execute(_LEASE, {"run_id": run_id}).one_or_none()
    if job is None or (final_will_do and state.is_final):
        return
    held, _ = job
    if token is None or token != held:
        raise LeaseLostError(_refusal(run_id, token, held), where=HEADER, seen=state.value)


def _hold(session: Session, run_id: str) -> RunState:
    # On its own: after waiting for a lock, Postgres would show another table's row as it was before.
    state = session.connection().execute(_HOLD, {"run_id": run_id}).scalar() if is_id(run_id) else None
    if state is None:
        raise NotFoundError.of("run", run_id)
    return RunState(state)


def _refusal(run_id: str, token: str | None, held: str | None) -> str:
    if token is None:
        return f"Run {run_id} is a job: only the worker that holds its lease may write to it."
    if held is None:
        return f"This attempt at run {run_id} is over; nobody holds the run now."
    return f"This attempt at run {run_id} is over; another worker has it now."
