"""Two readers for streams: one follows a run, the other the states of all runs. Each remembers how far it has got."""

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import text
from sqlmodel import Session, col, select

from server.database import Database
from server.live.bell import EVERYTHING
from server.live.cursors import EverythingCursor, RunCursor
from server.live.events import SERVER
from server.live.messages import Message, messages_since, read_head
from server.runs.out import runs_out
from server.runs.rows import LEAN
from server.tables import Event, Run

_AT_ONCE = 50  # messages in one look: bounds the memory of a stream that catches up
_LATE_S = 60  # then an id is not waited for any more: no statement takes longer (database.py), and writes are short
_MOST_LATE = 100

_Row = tuple[int, str, str]  # an event's id, its run and its origin


class Reader(Protocol):
    """Where a stream gets its messages from."""

    topic: str
    is_over: bool  # nothing more will come

    @property
    def cursor(self) -> RunCursor | EverythingCursor | None:
        """None before the first look, if it begins now."""

    def look(self) -> Sequence[Message[Any]]:
        """What is new, or the first part of it; nothing when there is nothing. Blocks: call it in a thread."""


class RunReader:
    def __init__(self, database: Database, run_id: str, cursor: str | None) -> None:
        self.topic = run_id
        self.cursor = RunCursor.read(cursor) if cursor else None
        self.is_over = False
        self._database = database

    def look(self) -> list[Message[RunCursor]]:
        with self._database.reading() as session:
            head = read_head(session, self.topic)
            self.is_over = head.is_over
            # Who begins now is told how the run is, and gets a cursor with that.
            since = self.cursor or head.cursor._replace(version=0)
            messages = list(islice(messages_since(session, self.topic, since, head), _AT_ONCE))
        self.cursor = messages[-1].cursor if messages else since
        return messages


class EverythingReader:
    """The server writes an event with every change of a state, so the events say which runs to tell of."""

    def __init__(self, database: Database, cursor: str | None) -> None:
        self.topic = EVERYTHING
        self.cursor = EverythingCursor.read(cursor) if cursor else None
        self.is_over = False
        self._database = database
        self._late = dict.fromkeys(self.cursor.late if self.cursor else (), time.monotonic())

    def look(self) -> list[Message[EverythingCursor]]:
        with self._database.reading() as session:
            if self.cursor is None:
                self.cursor = self._now(session)
            while rows := _arrived(session, self.cursor):
                if messages := self._messages(session, rows):
                    return messages
        return []

    def _now(self, session: Session) -> EverythingCursor:
        """Where somebody begins who wants only what is new: that may have a lower id than what is there already."""
        newest = session.connection().execute(text("SELECT coalesce(max(id), 0) FROM event")).scalar_one()
        if self._database.is_sqlite:
            return EverythingCursor(newest)
        recent = range(max(1, newest - _MOST_LATE), newest)
        there = set(session.exec(select(Event.id).where(col(Event.id).in_(recent))))
        self._late = dict.fromkeys((number for number in recent if number not in there), time.monotonic())
        return EverythingCursor(newest, tuple(self._late))

    def _messages(self, session: Session, rows: list[_Row]) -> list[Message[EverythingCursor]]:
        last = {run_id: event_id for event_id, run_id, origin in rows if origin == SERVER}
        found = session.exec(select(Run).where(col(Run.id).in_(last)).options(*LEAN)).all()
        outs = {out.id: out.model_dump(mode="json") for out in runs_out(session, found)}
        cursors = [self._pass(event_id) for event_id, _, _ in rows]
        return [
            Message("run", outs[run_id], cursor)
            for cursor, (event_id, run_id, _) in zip(cursors, rows, strict=True)
            if last.get(run_id) == event_id
        ]

    def _pass(self, event_id: int) -> EverythingCursor:
        """On Postgres ids are given before the commit, so a higher one can be seen before a lower one is."""
        assert self.cursor is not None
        now = time.monotonic()
        self._late.pop(event_id, None)
        if not self._database.is_sqlite:
            self._late |= dict.fromkeys(range(self.cursor.event + 1, event_id)[-_MOST_LATE:], now)
        self._late = {number: since for number, since in self._late.items() if now - since < _LATE_S}
        self.cursor = EverythingCursor(max(self.cursor.event, event_id), tuple(self._late)[-_MOST_LATE:])
        return self.cursor


def _arrived(session: Session, since: EverythingCursor) -> list[_Row]:
    is_new = (col(Event.id) > since.event) | col(Event.id).in_(since.late)
    found = select(Event.id, Event.run_id, Event.origin).where(is_new).order_by(col(Event.id)).limit(_AT_ONCE)
    return [(event_id or 0, run_id, origin) for event_id, run_id, origin in session.exec(found)]
