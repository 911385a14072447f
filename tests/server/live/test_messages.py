"""What a stream of a run says, without the network: complete, in order, and the same wherever it is interrupted."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.database import Database
from server.errors import InvalidError, NotFoundError
from server.files import logs
from server.live import events
from server.live.cursors import EverythingCursor, RunCursor
from server.live.messages import Message
from server.live.readers import RunReader
from server.metrics.append import append
from server.metrics.parse import parse
from server.metrics.rewind import rewind
from server.runs.rows import hold_run, touch
from server.tables import RunState
from tests.server.factories import a_run

NOW = 1_700_000_000.0


class Writer:
    """Everything that can happen to a run."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.records = self.events = self.log = 0
        with database.writing() as session:
            self.run_id = a_run(session).id

    def metrics(self, count: int = 1) -> None:
        steps = range(self.records, self.records + count)
        body = {"offset": self.records, "columns": {"env_steps": [*steps], "loss": [step / 2 for step in steps]}}
        with self.database.writing() as session:
            self.records = append(session, self.run_id, parse(json.dumps(body).encode()))

    def event(self, kind: str) -> None:
        with self.database.writing() as session:
            self.events = events.append(session, self.run_id, self.events, [{"kind": kind}], NOW)

    def say(self, data: bytes) -> None:
        with self.database.writing() as session:
            self.log = logs.append(session, self.run_id, self.log, data)

    def become(self, state: RunState) -> None:
        with self.database.writing() as session:
            touch(session, hold_run(session, self.run_id), NOW, state=state)

    def rewind(self, records: int, kept: int) -> None:
        with self.database.writing() as session:
            rewind(session, self.run_id, records)
            events.cut_core_events(session, self.run_id, kept)
        self.records, self.events = min(records, self.records), min(kept, self.events)

    def reader(self, cursor: str | None = None) -> RunReader:
        return RunReader(self.database, self.run_id, cursor)


def everything(reader: RunReader) -> list[Message[RunCursor]]:
    found: list[Message[RunCursor]] = []
    while news := reader.look():
        found += news
    return found


def told(messages: list[Message[RunCursor]]) -> list[tuple[str, Any]]:
    """In short: records as their steps, events as their kinds, the log as text, the run as its state."""
    return [(message.name, _short(message.data)) for message in messages]


def _short(data: dict[str, Any]) -> Any:
    if isinstance(data.get("records"), list):
        return [record["env_steps"] for record in data["records"]]
    return next(data[key] for key in ("records", "text", "state", "kind") if key in data)


def test_who_begins_is_told_how_the_run_is_and_nothing_of_the_past(database: Database) -> None:
    writer = Writer(database)
    writer.metrics(3)
    writer.say(b"old\n")
    [first] = everything(writer.reader())
    assert (first.name, first.data["state"], first.data["config"]) == ("run", "running", None)
    assert str(first.cursor) == "m3.0-e0-l4-v1"


def test_what_is_new_comes_in_order_and_the_run_last(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.become(RunState.SUCCEEDED)
    writer.say(b"done\n")
    writer.event("checkpoint")
    writer.metrics(2)
    assert told(everything(reader)) == [
        ("metrics", [0, 1]),
        ("event", "checkpoint"),
        ("log", "done\n"),
        ("run", "succeeded"),
    ]
    assert reader.is_over


def test_nothing_new_says_nothing(database: Database) -> None:
    reader = Writer(database).reader()
    everything(reader)
    assert reader.look() == []


def test_records_are_those_that_were_sent(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.metrics(2)
    [message] = everything(reader)
    assert message.data == {
        "from": 0,
        "records": [{"env_steps": 0, "loss": 0.0}, {"env_steps": 1, "loss": 0.5}],
    }


def test_who_is_far_behind_is_told_to_read_the_curves_again(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.metrics(2001)
    assert [message.data for message in everything(reader)] == [{"from": 0, "refresh": True}]
    writer.metrics(1)
    assert told(everything(reader)) == [("metrics", [2001])]


def test_two_thousand_behind_are_still_sent(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.metrics(2000)
    messages = told(everything(reader))
    assert [step for _, steps in messages for step in steps] == list(range(2000))


def test_a_rewind_is_told_and_the_stream_goes_on_behind_it(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.metrics(4)
    writer.event("checkpoint")
    everything(reader)
    writer.rewind(2, 0)
    writer.event("checkpoint again")
    assert told(everything(reader)) == [("rewind", 0), ("event", "checkpoint again")]
    writer.metrics()
    assert told(everything(reader)) == [("metrics", [2])]


def test_a_character_is_never_cut_in_two(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.say(b"a\xe2\x82")
    assert told(everything(reader)) == [("log", "a")]
    writer.say(b"\xac!\xe2")
    assert told(everything(reader)) == [("log", "€!")]
    writer.become(RunState.FAILED)
    assert told(everything(reader)) == [("log", "\ufffd"), ("run", "failed")]


def test_a_long_log_comes_in_pieces(database: Database) -> None:
    writer = Writer(database)
    reader = writer.reader()
    everything(reader)
    writer.say(b"x" * 200_000)
    messages = everything(reader)
    assert [message.data["start"] for message in messages] == [0, 65_536, 131_072, 196_608]
    assert "".join(message.data["text"] for message in messages) == "x" * 200_000


def test_a_cursor_of_another_life_of_the_run_begins_again(database: Database) -> None:
    writer = Writer(database)
    writer.metrics(1)
    writer.say(b"new\n")
    assert told(everything(writer.reader("m9.0-e0-l99-v1"))) == [("rewind", 0), ("log", "new\n")]


@pytest.mark.parametrize("cursor", ["", "m1", "m1.0-e1-l1-v1 ", "m-1.0-e1-l1-v1", "m1.0-e1-l1-v¹", "m" + "9" * 99])
def test_a_cursor_that_somebody_made_up_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError):
        RunCursor.read(cursor)
    with pytest.raises(InvalidError):
        EverythingCursor.read(cursor)


@given(st.lists(st.integers(0, 10**15), min_size=5, max_size=5))
def test_a_cursor_comes_back_as_it_went(numbers: list[int]) -> None:
    records, rewinds, event, log, version = numbers
    run = RunCursor(records, rewinds % 10**9, event, log, version % 10**9)
    everything = EverythingCursor(event % 2**31, tuple(number % 2**31 for number in numbers))
    assert RunCursor.read(str(run)) == run
    assert EverythingCursor.read(str(everything)) == everything


@pytest.mark.parametrize("run_id", ["nothing", "a\x00b", "x" * 300])
def test_there_is_no_news_of_no_run(database: Database, run_id: str) -> None:
    with pytest.raises(NotFoundError):
        RunReader(database, run_id, None).look()


_steps = st.sampled_from(["metrics", "event", "say", "become", "look", "reconnect"])


def test_however_often_it_is_interrupted_nothing_is_lost_or_doubled(database: Database) -> None:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(_steps, max_size=20), st.data())
    def check(steps: list[str], data: st.DataObject) -> None:
        writer = Writer(database)
        heard = _heard(writer, steps, data)
        assert [text for name, text in told(heard) if name == "event"] == [
            str(number) for number, step in enumerate(steps) if step == "event"
        ]
        assert "".join(text for name, text in told(heard) if name == "log") == "".join(
            f"{number}é" for number, step in enumerate(steps) if step == "say"
        )
        records = [step for name, part in told(heard) if name == "metrics" for step in part]
        assert records == list(range(writer.records))

    check()


def _heard(writer: Writer, steps: list[str], data: st.DataObject) -> list[Message[RunCursor]]:
    """A broken connection may have got any first part of what was said; it goes on from the last of that."""
    reader = writer.reader()
    heard = reader.look()
    for number, step in enumerate(steps):
        if step == "look":
            heard += reader.look()
        elif step == "reconnect":
            said = reader.look()
            heard += said[: data.draw(st.integers(0, len(said)))]
            reader = writer.reader(str(heard[-1].cursor))
        else:
            _write(writer, step, number)
    return heard + everything(reader)


def _write(writer: Writer, step: str, number: int) -> None:
    if step == "metrics":
        writer.metrics(number + 1)
    elif step == "event":
        writer.event(str(number))
    elif step == "say":
        writer.say(f"{number}é".encode())
    else:
        writer.become(RunState.RUNNING)
