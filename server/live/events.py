"""What happened to runs: events are written, appended by the run itself, cut back, and read.

Whoever writes an event of a run holds the run first. So positions have no gaps, and on every database the events
of one run become visible in the order of their ids: a reader that has seen up to an id has missed none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, literal
from sqlmodel import Session, col, select

from dreamer_core.metrics.jsonsafe import dumps, loads
from server.errors import GapError
from server.runs.rows import hold_run, hold_runs
from server.tables import Event, Run

CORE, SERVER, USER = "core", "server", "user"
LARGEST_ID = 2**31 - 1  # of an id or a position; Postgres does not even compare with a larger one
_COLUMNS = ("kind", "message", "env_steps", "train_steps")


def write(session: Session, run_id: str, origin: str, kind: str, message: str, at: float, **facts: Any) -> None:
    """One event at the next position of its origin. `env_steps` and `train_steps` among the facts have columns."""
    write_for_all(session, [run_id], origin, kind, message, at, **facts)


def write_for_all(
    session: Session, run_ids: Sequence[str], origin: str, kind: str, message: str, at: float, **facts: Any
) -> None:
    """The same event for many runs, in one statement."""
    hold_runs(session, run_ids)
    steps = {name: facts.pop(name, None) for name in ("env_steps", "train_steps")}
    values = {"origin": origin, "kind": kind, "message": message, **steps, "facts": _plain(facts), "at": at}
    columns = Event.__table__.c  # type: ignore[attr-defined]
    taken = select(func.max(Event.position) + 1).where(Event.run_id == Run.id, Event.origin == origin)
    rows = select(
        col(Run.id),
        func.coalesce(taken.scalar_subquery(), 0),
        *(literal(value, columns[name].type) for name, value in values.items()),
    ).where(col(Run.id).in_(run_ids))
    session.connection().execute(insert(Event).from_select(["run_id", "position", *values], rows))


def append(session: Session, run_id: str, offset: int, events: Sequence[Mapping[str, Any]], now: float) -> int:
    """The run's own events, numbered from `offset`: what is here already is skipped. Returns how many there are now."""
    hold_run(session, run_id)
    count = count_core(session, run_id)
    if offset > count:
        raise GapError(
            f"Events of run {run_id} were sent from {offset} on, but there are {count}.", expected=count, seen=offset
        )
    new = [_row(run_id, offset + i, event, now) for i, event in enumerate(events) if offset + i >= count]
    if new:
        session.connection().execute(insert(Event), new)
    return count + len(new)


def cut_core_events(session: Session, run_id: str, count: int) -> None:
    """A resumed run takes back what its checkpoint had not seen; nothing where there are no more than `count`."""
    hold_run(session, run_id)
    too_new = (col(Event.run_id) == run_id, col(Event.origin) == CORE, col(Event.position) >= min(count, LARGEST_ID))
    session.connection().execute(delete(Event).where(*too_new))


def of_run(session: Session, run_id: str, after: int, limit: int) -> list[Event]:
    """Oldest first."""
    found = select(Event).where(Event.run_id == run_id, col(Event.id) > after)
    return list(session.exec(found.order_by(col(Event.id)).limit(limit)))


def of_all(session: Session, after: int, limit: int) -> list[Event]:
    return list(session.exec(select(Event).where(col(Event.id) > after).order_by(col(Event.id)).limit(limit)))


def newest(session: Session, limit: int) -> list[Event]:
    return list(session.exec(select(Event).order_by(col(Event.id).desc()).limit(limit)))


def count_core(session: Session, run_id: str) -> int:
    last = select(func.max(Event.position)).where(Event.run_id == run_id, Event.origin == CORE)
    position = session.exec(last).one()
    return 0 if position is None else position + 1


def _row(run_id: str, position: int, event: Mapping[str, Any], now: float) -> dict[str, Any]:
    facts = {key: value for key, value in event.items() if key not in (*_COLUMNS, "at")}
    return {
        "run_id": run_id,
        "origin": CORE,
        "position": position,
        "kind": event["kind"],
        "message": event.get("message") or "",
        "env_steps": event.get("env_steps"),
        "train_steps": event.get("train_steps"),
        "facts": _plain(facts),
        "at": event.get("at") or now,
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Postgres takes no NaN in JSON: numbers that are not finite become the words for them, as in every answer."""
    plain: dict[str, Any] = loads(dumps(facts))
    return plain
