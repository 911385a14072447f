"""Reading a job's row. Whoever changes it holds its run first."""

from sqlmodel import Session

from server.errors import NotFoundError
from server.runs.rows import is_id
from server.tables import Job


def get_job(session: Session, run_id: str) -> Job:
    """As it is now: whoever held the run before may just have changed it."""
    job = session.get(Job, run_id, populate_existing=True) if is_id(run_id) else None
    if job is None:
        raise NotFoundError.of("job", run_id)
    return job
