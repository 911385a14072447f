"""Live streams over a real server: at once, in order, whole after a broken connection, and cheap in between."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from server.house import House
from server.live import events, readers
from server.live.bell import Bell
from server.live.cursors import RunCursor
from server.live.messages import Message
from server.live.readers import EverythingReader
from server.live.streams import Pace, Streams
from server.runs.rows import hold_run
from server.runs.states import move
from server.tables import RunState
from tests.server.conftest import TOKEN
from tests.server.factories import a_run
from tests.server.live.serving import Frame, Served, listening, served, until, wait_until

NOW = 1_700_000_000.0
QUICK = Pace(look_s=0.2, rest_s=0.01, beat_s=0.3, end_s=0.1)
PATIENT = Pace(look_s=60, rest_s=0.01, beat_s=60, end_s=0.1)


@pytest.fixture
def house(house: House) -> House:
    """It looks by itself so seldom that only the bell can be what wakes a stream up."""
    return replace(house, streams=Streams(pace=PATIENT))


@pytest.fixture
def site(house: House) -> Iterator[Served]:
    with served(house) as site:
        yield site


@pytest.fixture
def run_id(house: House) -> str:
    with house.database.writing() as session:
        return a_run(session).id


def post(site: Served, path: str, **body: Any) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    httpx2.post(f"{site.address}/api/v1{path}", headers=headers, trust_env=False, **body).raise_for_status()


def end(house: House, run_id: str, state: RunState = RunState.SUCCEEDED) -> None:
    with house.database.writing() as session:
        move(session, hold_run(session, run_id), state, NOW, kind=state.value, message="")
    house.bell.ring(run_id)


def kinds(frames: Sequence[Frame]) -> list[str | None]:
    return [frame.event for frame in frames]


def test_all_that_happens_to_a_run_comes_at_once_and_ends_with_it(site: Served, house: House, run_id: str) -> None:
    with listening(site.address, f"/runs/{run_id}/live") as frames:
        assert next(frames) == Frame(retry="2000")
        assert kinds(until(frames, "run")) == ["run"]
        began = time.monotonic()
        post(site, f"/runs/{run_id}/metrics", json={"offset": 0, "records": [{"env_steps": 1, "loss": "NaN"}]})
        [metrics] = until(frames, "metrics")
        post(site, f"/runs/{run_id}/events", json={"offset": 0, "events": [{"kind": "checkpoint"}]})
        run, event = until(frames, "event")  # its numbers say how far it is
        post(site, f"/runs/{run_id}/log?offset=0", content="é\n".encode())
        [log] = until(frames, "log")
        end(house, run_id)
        rest = until(frames, "end")
        assert list(frames) == []  # the server closed it
    assert time.monotonic() - began < PATIENT.look_s / 4
    assert metrics.data == {"from": 0, "records": [{"env_steps": 1, "loss": "NaN"}]}
    assert (run.event, run.data["env_steps"]) == ("run", 1)
    assert (event.data["kind"], event.data["run_id"]) == ("checkpoint", run_id)
    assert log.data == {"start": 0, "text": "é\n"}
    assert kinds(rest) == ["event", "run", "end"]
    assert (rest[0].data["kind"], rest[1].data["state"]) == ("succeeded", "succeeded")


def test_a_broken_connection_goes_on_where_it_was(site: Served, run_id: str) -> None:
    with listening(site.address, f"/runs/{run_id}/live") as frames:
        [first] = until(frames, "run")
    for number in range(3):
        post(site, f"/runs/{run_id}/metrics", json={"offset": number, "records": [{"env_steps": number}]})
        with listening(site.address, f"/runs/{run_id}/live", cursor=first.id) as frames:
            [first] = until(frames, "metrics")
        assert first.data == {"from": number, "records": [{"env_steps": number}]}


def test_a_cursor_may_stand_in_the_address_and_the_header_is_newer(site: Served, run_id: str) -> None:
    post(site, f"/runs/{run_id}/log?offset=0", content=b"12345")
    with listening(site.address, f"/runs/{run_id}/live?cursor=m0.0-e0-l2-v1") as frames:
        assert until(frames, "log")[0].data == {"start": 2, "text": "345"}
    with listening(site.address, f"/runs/{run_id}/live?cursor=m0.0-e0-l2-v1", cursor="m0.0-e0-l4-v1") as frames:
        assert until(frames, "log")[0].data == {"start": 4, "text": "5"}


def test_a_run_that_is_over_ends_the_stream_again(site: Served, house: House, run_id: str) -> None:
    end(house, run_id, RunState.FAILED)
    with listening(site.address, f"/runs/{run_id}/live") as frames:
        assert kinds(until(frames, "end")) == ["run", "end"]


def test_a_run_that_goes_on_within_its_last_second_does_not_end(house: House, run_id: str) -> None:
    slow_end = replace(house, streams=Streams(pace=replace(QUICK, end_s=1.0)))
    with served(slow_end) as site, listening(site.address, f"/runs/{run_id}/live") as frames:
        until(frames, "run")
        end(slow_end, run_id, RunState.FAILED)
        until(frames, "run")
        end(slow_end, run_id, RunState.QUEUED)
        assert until(frames, "run")[-1].data["state"] == "queued"
        assert kinds([next(frames), next(frames), next(frames), next(frames)]) == [None] * 4  # comments, no end


def test_what_another_server_writes_is_seen_without_a_bell(house: House, run_id: str) -> None:
    quick = replace(house, streams=Streams(pace=QUICK))
    with served(quick) as site, listening(site.address, f"/runs/{run_id}/live") as frames:
        until(frames, "run")
        with house.database.writing() as session:
            events.write(session, run_id, "user", "note", "", NOW)
        assert until(frames, "event")[0].data["kind"] == "note"


def test_silence_is_broken_by_comments(house: House, run_id: str) -> None:
    quick = replace(house, streams=Streams(pace=QUICK))
    with served(quick) as site, listening(site.address, f"/runs/{run_id}/live") as frames:
        until(frames, "run")
        assert next(frames) == Frame(comment="still here")


def test_idle_streams_hold_no_threads_and_go_with_their_connections(site: Served, house: House, run_id: str) -> None:
    with ExitStack() as streams:

        def open_some(count: int) -> list[Iterator[Frame]]:
            path = f"/runs/{run_id}/live"
            frames = [streams.enter_context(listening(site.address, path)) for _ in range(count)]
            assert [kinds(until(each, "run")) for each in frames] == [["run"]] * count
            return frames

        some = open_some(2)
        few = threading.active_count()
        more = open_some(38)
        assert house.streams.open == len(some) + len(more)
        assert threading.active_count() - few < 10  # the pool's own, whatever the number of streams
    wait_until(lambda: house.streams.open == 0 and house.bell.listeners == 0)


def test_more_streams_than_allowed_are_refused(house: House, run_id: str) -> None:
    small = replace(house, streams=Streams(most=1, pace=QUICK))
    with served(small) as site:
        with listening(site.address, f"/runs/{run_id}/live") as frames:
            until(frames, "run")
            with pytest.raises(httpx2.HTTPStatusError, match="503"), listening(site.address, "/live"):
                pass
        wait_until(lambda: small.streams.open == 0)
        with listening(site.address, "/live") as frames:
            assert next(frames).retry == "2000"


def test_a_server_that_stops_lets_go_of_its_streams(house: House, run_id: str) -> None:
    with served(house) as site, listening(site.address, f"/runs/{run_id}/live") as frames:
        until(frames, "run")
        began = time.monotonic()
        house.bell.close()
        site.server.should_exit = True
        assert list(frames) == []
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("path", ["/runs/nothing/live", "/runs/%00/live"])
def test_a_stream_of_no_run_is_not_found(site: Served, path: str) -> None:
    with pytest.raises(httpx2.HTTPStatusError, match="404"), listening(site.address, path):
        pass


def test_a_cursor_that_somebody_made_up_is_refused(site: Served, run_id: str) -> None:
    with pytest.raises(httpx2.HTTPStatusError, match="422"), listening(site.address, "/live", cursor="m1"):
        pass


def test_the_states_of_all_runs_are_told_and_nothing_else(site: Served, house: House, run_id: str) -> None:
    with listening(site.address, "/live") as frames:
        assert next(frames) == Frame(retry="2000")
        assert next(frames) == Frame(id="e0")
        post(site, f"/runs/{run_id}/events", json={"offset": 0, "events": [{"kind": "checkpoint"}]})
        post(site, f"/runs/{run_id}/log?offset=0", content=b"x")
        end(house, run_id)
        [told] = until(frames, "run")
    assert (told.data["id"], told.data["state"], told.data["config"]) == (run_id, "succeeded", None)
    end(house, run_id, RunState.QUEUED)
    with listening(site.address, "/live", cursor=told.id) as frames:
        assert until(frames, "run")[0].data["state"] == "queued"


def changed(house: House, runs: int, times: int) -> tuple[set[str], list[str]]:
    """The runs that changed so often, and those that were told, as often as they were."""
    with house.database.writing() as session:
        run_ids = [a_run(session).id for _ in range(runs)]
    reader = EverythingReader(house.database, None)
    reader.look()
    with house.database.writing() as session:
        for _ in range(times):
            events.write_for_all(session, run_ids, "server", "cancelled", "", NOW)
    told: list[str] = []
    while news := reader.look():
        told += [message.data["id"] for message in news]
    return set(run_ids), told


def test_changes_that_follow_each_other_are_told_once(house: House) -> None:
    run_ids, told = changed(house, runs=10, times=3)
    assert sorted(told) == sorted(run_ids)


def test_more_changes_than_one_look_takes_are_all_told(house: House) -> None:
    run_ids, told = changed(house, runs=120, times=1)
    assert sorted(told) == sorted(run_ids)


def test_an_event_that_is_committed_late_is_told_too(house: House) -> None:
    if house.database.is_sqlite:
        pytest.skip("SQLite has one writer: nothing is committed late")
    with house.database.writing() as session:
        slow, fast = a_run(session).id, a_run(session).id
        events.write(session, slow, "server", "queued", "", NOW)
    reader = EverythingReader(house.database, None)
    reader.look()
    assert reader.cursor is not None
    never_there = set(reader.cursor.late)
    with house.database.writing() as session:
        events.write(session, slow, "server", "started", "", NOW)
        with house.database.writing() as other:
            events.write(other, fast, "server", "started", "", NOW)
        [first] = reader.look()
    resumed = EverythingReader(house.database, str(first.cursor))
    assert first.data["id"] == fast
    for later in (reader, resumed):
        [second] = later.look()
        assert second.data["id"] == slow
        assert later.look() == []
        assert later.cursor is not None
        assert (later.cursor.event, set(later.cursor.late) <= never_there) == (first.cursor.event, True)


def test_an_event_that_was_under_way_when_the_stream_began_is_told_too(house: House) -> None:
    if house.database.is_sqlite:
        pytest.skip("SQLite has one writer: nothing is committed late")
    with house.database.writing() as session:
        slow, fast = a_run(session).id, a_run(session).id
    with house.database.writing() as session:
        events.write(session, slow, "server", "started", "", NOW)
        with house.database.writing() as other:
            events.write(other, fast, "server", "started", "", NOW)
        reader = EverythingReader(house.database, None)
        assert reader.look() == []
    [told] = reader.look()
    assert told.data["id"] == slow


def test_a_cursor_from_a_larger_database_is_no_error(house: House) -> None:
    assert EverythingReader(house.database, "e9999999999.9999999998").look() == []


def test_an_event_that_never_comes_is_waited_for_only_so_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_LATE_S", 0)
    with house.database.writing() as session:
        run_id = a_run(session).id
        events.write(session, run_id, "server", "queued", "", NOW)
    reader = EverythingReader(house.database, None)
    reader.look()
    with house.database.writing() as session:
        events.append(session, run_id, 0, [{"kind": "a"}], NOW)
        events.cut_core_events(session, run_id, 0)
        events.write(session, run_id, "server", "started", "", NOW)
    [told] = reader.look()
    assert told.cursor.late == ()


class Unsteady:
    """A reader whose database is away at its second look."""

    topic, is_over = "a", False
    cursor = RunCursor(0, 0, 0, 0, 1)

    def __init__(self) -> None:
        self.looks = 0

    def look(self) -> Sequence[Message[RunCursor]]:
        self.looks += 1
        if self.looks == 2:
            raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))
        self.is_over = True
        return [Message("run", {"look": self.looks}, self.cursor)] if self.looks < 4 else []


def test_a_database_that_is_away_for_a_while_does_not_end_a_stream() -> None:
    async def listen() -> list[str]:
        bell = Bell()
        bell.open(asyncio.get_running_loop())
        response = await Streams(pace=QUICK).answer(bell, Unsteady())
        body: AsyncIterator[Any] = aiter(response.body_iterator)
        return [str(said) async for said in body]

    said = "".join(asyncio.run(listen()))
    assert [line for line in said.splitlines() if line.startswith("data: ")] == [
        'data: {"look": 1}',
        'data: {"look": 3}',
        "data: {}",
    ]
