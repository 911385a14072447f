"""Moving a run from one state to the next: the row, the moment and the event, always together."""

from typing import Any

from sqlmodel import Session

from server.live import events
from server.runs.rows import touch
from server.tables import Run, RunState


def move(
    session: Session,
    run: Run,
    state: RunState,
    now: float,
    *,
    kind: str,
    message: str,
    reason: str | None = None,
    **changes: Any,
) -> None:
    """The run is held, and the caller knows that it may go there. `kind` and `message` are the event's."""
    ended_at = now if state.is_final else None
    touch(session, run, now, **{"state": state, "reason": reason, "ended_at": ended_at, **changes})
    steps = {"env_steps": run.env_steps, "train_steps": run.train_steps}
    session.flush()
    events.write(session, run.id, events.SERVER, kind, message, now, **steps)
