"""Workers and queues: who is there, what each does, what waits and why."""

from fastapi import APIRouter, Request, Response
from sqlmodel import Session, col, select

from server.house import HouseDep
from server.jobs import turn
from server.jobs.out import JobOut, jobs_out
from server.jobs.queues import queues
from server.jobs.workers_out import workers_out
from server.rendering import respond
from server.runs.rows import LEAN
from server.tables import Job, Run, RunState

router = APIRouter(include_in_schema=False)

MOST = 200  # jobs in a list; the rest is counted in the queues


@router.get("/workers")
def show_workers(request: Request, house: HouseDep) -> Response:
    now = house.clock()
    with house.database.reading() as session:
        context = {
            "queues": queues(session, now, house.settings.lease_s),
            "workers": workers_out(session, house.clock()),
            "running": _jobs(session, RunState.RUNNING, RunState.STOPPING),
            "queued": _jobs(session, RunState.QUEUED),
            "most": MOST,
            "now": now,
        }
    return respond(request, context, page="workers/list.html", fragment="workers/_house.html")


def _jobs(session: Session, *states: RunState) -> list[JobOut]:
    """In the order in which they are claimed."""
    found = select(Run).join(Job, col(Job.run_id) == Run.id).where(col(Run.state).in_(states)).options(*LEAN)
    return jobs_out(session, session.exec(found.order_by(col(Job.queue), *turn.ORDER).limit(MOST)).all())
