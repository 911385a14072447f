"""An attempt's sign of life: keeps its lease, says how far it is, and hears whether it shall stop."""

from typing import Any

from sqlmodel import Session

from server.jobs.lease import require_lease
from server.jobs.rows import get_job
from server.runs.rows import hold_run, touch
from server.tables import Run


def beat(
    session: Session,
    run_id: str,
    token: str | None,
    usage: dict[str, Any] | None,
    progress: dict[str, Any],
    now: float,
    lease_s: float,
) -> tuple[bool, bool]:
    """Whether it shall stop, and whether the run's row changed. A lease that ran out counts until somebody takes it."""
    require_lease(session, run_id, token)
    run, job = hold_run(session, run_id), get_job(session, run_id)
    job.lease_until = now + lease_s
    if usage is not None:
        job.usage = usage
    session.add(job)
    changes = _news(run, progress)
    if changes:
        touch(session, run, now, **changes)
    return job.cancel_requested_at is not None, bool(changes)


def _news(run: Run, progress: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in progress.items() if value is not None and value != getattr(run, name)}
