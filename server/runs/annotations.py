"""What people remark about a run while it goes on and afterwards: each remark with its time, none ever changed.

They are events of origin `user`. Those that somebody's trainer sends are of origin `core`, whatever kind they claim.
"""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from server.live import events
from server.runs.rows import hold_run
from server.tables import Event

KIND = "annotation"


def annotate(session: Session, run_id: str, text: str, now: float) -> Event:
    run = hold_run(session, run_id)
    steps = {"env_steps": run.env_steps, "train_steps": run.train_steps}
    events.write(session, run_id, events.USER, KIND, text, now, **steps)
    return of_runs(session, [run_id])[-1]


def of_runs(session: Session, run_ids: Sequence[str]) -> list[Event]:
    """Oldest first."""
    found = select(Event).where(col(Event.run_id).in_(run_ids), Event.origin == events.USER, Event.kind == KIND)
    return list(session.exec(found.order_by(col(Event.id))))
