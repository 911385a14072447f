"""Events: numbered without gaps, kept once however often they are sent, cut back, and read in order."""

import json
import threading

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from server.database import Database
from server.errors import GapError, NotFoundError
from server.house import House
from server.live import events
from server.tables import Event
from tests.server.factories import LEASE, a_job, a_run, a_running_job

NOW = 1_700_000_000.0


def make_run(database: Database) -> str:
    with database.writing() as session:
        return a_run(session).id


def make_running_job(database: Database) -> str:
    with database.writing() as session:
        return a_running_job(session).id


def read(database: Database, run_id: str) -> list[tuple[str, int, str]]:
    with database.reading() as session:
        return [(event.origin, event.position, event.kind) for event in events.of_run(session, run_id, 0, 100)]


def append(database: Database, run_id: str, offset: int, *kinds: str) -> int:
    with database.writing() as session:
        return events.append(session, run_id, offset, [{"kind": kind} for kind in kinds], NOW)


def test_each_origin_counts_its_own_positions(database: Database) -> None:
    run_id = make_run(database)
    with database.writing() as session:
        events.write(session, run_id, "server", "queued", "", NOW)
        events.append(session, run_id, 0, [{"kind": "begin"}], NOW)
        events.write(session, run_id, "server", "started", "on worker a", NOW, worker="a", env_steps=3)
    assert read(database, run_id) == [("server", 0, "queued"), ("core", 0, "begin"), ("server", 1, "started")]
    with database.reading() as session:
        last = events.newest(session, 1)[0]
    assert (last.message, last.env_steps, last.facts, last.at) == ("on worker a", 3, {"worker": "a"}, NOW)


def test_one_event_can_be_written_for_many_runs_at_once(database: Database) -> None:
    first, second = make_run(database), make_run(database)
    with database.writing() as session:
        events.write(session, second, "server", "queued", "", NOW)
        events.write_for_all(session, [first, second, "unknown"], "server", "cancelled", "all of them", NOW)
    assert read(database, first) == [("server", 0, "cancelled")]
    assert read(database, second) == [("server", 0, "queued"), ("server", 1, "cancelled")]


def test_events_sent_twice_are_kept_once(database: Database) -> None:
    run_id = make_run(database)
    assert append(database, run_id, 0, "a", "b") == 2
    assert append(database, run_id, 0, "a", "b") == 2
    assert append(database, run_id, 1, "b", "c") == 3
    assert [kind for _, _, kind in read(database, run_id)] == ["a", "b", "c"]


def test_a_gap_says_where_to_go_on(database: Database) -> None:
    run_id = make_run(database)
    append(database, run_id, 0, "a")
    with pytest.raises(GapError) as caught:
        append(database, run_id, 3, "d")
    assert caught.value.expected == 1


def test_an_event_of_an_unknown_run_is_refused(database: Database) -> None:
    with pytest.raises(NotFoundError), database.writing() as session:
        events.append(session, "unknown", 0, [{"kind": "a"}], NOW)


def test_a_cut_takes_back_the_runs_own_events_only(database: Database) -> None:
    run_id = make_run(database)
    append(database, run_id, 0, "a", "b", "c")
    with database.writing() as session:
        events.write(session, run_id, "server", "resumed", "", NOW)
        events.cut_core_events(session, run_id, 1)
    assert read(database, run_id) == [("core", 0, "a"), ("server", 0, "resumed")]


def test_a_cut_to_more_than_there_is_changes_nothing(database: Database) -> None:
    run_id = make_run(database)
    append(database, run_id, 0, "a")
    with database.writing() as session:
        events.cut_core_events(session, run_id, 5)
        events.cut_core_events(session, run_id, 2**53)
    assert read(database, run_id) == [("core", 0, "a")]


def test_an_id_is_never_used_again_after_a_cut(database: Database) -> None:
    run_id = make_run(database)
    append(database, run_id, 0, "a", "b")
    with database.writing() as session:
        seen = events.newest(session, 1)[0].id
        events.cut_core_events(session, run_id, 1)
    append(database, run_id, 1, "b again")
    assert seen is not None
    with database.reading() as session:
        assert [event.kind for event in events.of_run(session, run_id, seen, 10)] == ["b again"]


def test_writers_at_once_leave_no_gap_and_no_double(database: Database) -> None:
    run_id = make_run(database)
    together = threading.Barrier(4)

    def write() -> None:
        together.wait()
        for _ in range(5):
            with database.writing() as session:
                events.write(session, run_id, "server", "started", "", NOW)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [position for _, position, _ in read(database, run_id)] == list(range(20))


def test_numbers_that_are_not_finite_become_words(database: Database) -> None:
    run_id = make_run(database)
    with database.writing() as session:
        events.write(session, run_id, "server", "failed", "", NOW, loss=float("nan"), grads=[float("inf")])
        stored = session.exec(select(Event)).one()
    assert stored.facts == {"loss": "NaN", "grads": ["Infinity"]}


def test_a_run_appends_and_everybody_reads(client: TestClient, house: House) -> None:
    run_id = make_run(house.database)
    event = {
        "kind": "checkpoint",
        "env_steps": 2000,
        "message": "saved",
        "at": "2023-11-14T22:00:00Z",
        "path": "x/2000",
    }
    answer = client.post(f"/api/v1/runs/{run_id}/events", json={"offset": 0, "events": [event]})
    assert (answer.status_code, answer.json()) == (200, {"events": 1})
    [item] = client.get(f"/api/v1/runs/{run_id}/events").json()["items"]
    del item["id"]
    assert item == {
        "run_id": run_id,
        "origin": "core",
        "kind": "checkpoint",
        "message": "saved",
        "env_steps": 2000,
        "train_steps": None,
        "facts": {"path": "x/2000"},
        "at": "2023-11-14T22:00:00.000+00:00",
    }


def test_events_are_paged_by_id(client: TestClient, house: House) -> None:
    run_id = make_run(house.database)
    append(house.database, run_id, 0, "a", "b", "c")
    first = client.get(f"/api/v1/runs/{run_id}/events?limit=2").json()
    rest = client.get(f"/api/v1/runs/{run_id}/events?limit=2&after={first['next']}").json()
    assert [item["kind"] for item in first["items"]] == ["a", "b"]
    assert [item["kind"] for item in rest["items"]] == ["c"]
    assert rest["next"] is None


def test_events_of_all_runs_come_newest_first_or_after_one(client: TestClient, house: House) -> None:
    for kind in ("a", "b", "c"):
        append(house.database, make_run(house.database), 0, kind)
    newest = client.get("/api/v1/events?limit=2").json()["items"]
    later = client.get(f"/api/v1/events?after={newest[1]['id'] - 1}").json()["items"]
    assert [item["kind"] for item in newest] == ["c", "b"]
    assert [item["kind"] for item in later] == ["b", "c"]


@pytest.mark.parametrize(("after", "status"), [(2**31 - 1, 200), (2**31, 422), (-1, 422)])
def test_no_id_is_too_large_to_be_asked_for(client: TestClient, house: House, after: int, status: int) -> None:
    run_id = make_run(house.database)
    assert client.get(f"/api/v1/events?after={after}").status_code == status
    assert client.get(f"/api/v1/runs/{run_id}/events?after={after}").status_code == status


def test_only_the_worker_with_the_lease_appends(client: TestClient, house: House) -> None:
    run_id = make_running_job(house.database)
    body = {"offset": 0, "events": [{"kind": "a"}]}
    refused = client.post(f"/api/v1/runs/{run_id}/events", json=body, headers={"X-Dreamgate-Lease": "another"})
    taken = client.post(f"/api/v1/runs/{run_id}/events", json=body, headers={"X-Dreamgate-Lease": LEASE})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "lease_lost")
    assert taken.status_code == 200


def test_a_queued_job_takes_no_events(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run_id = a_job(session).id
    answer = client.post(f"/api/v1/runs/{run_id}/events", json={"offset": 0, "events": [{"kind": "a"}]})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"kind": ""},
        {"kind": "a" * 61},
        {"kind": "a\x00"},
        {"kind": "a", "message": "\ud800"},
        {"kind": "a", "fact": "nul \x00 inside"},
        {"kind": "a", "fact": {"\x00": 1}},
        {"kind": "a", "fact": "\ud800"},
        {"kind": "a", "fact": 2**53 + 1},
        {"kind": "a", "env_steps": -1},
        {"kind": "a", "env_steps": 2**53 + 1},
        {"kind": "a", "at": "9999-12-31T23:59:59-12:00"},
        {"kind": "a", "at": "yesterday"},
        {"kind": "a", "fact": "x" * 70_000},
        {"kind": "a", "fact": [[[[[[[[[[[[[[]]]]]]]]]]]]]]},
    ],
    ids=lambda event: ascii(event)[:40],
)
def test_an_event_that_cannot_be_kept_is_refused(client: TestClient, house: House, event: dict[str, object]) -> None:
    run_id = make_run(house.database)
    body = json.dumps({"offset": 0, "events": [event]})  # all ASCII: what cannot be sent as it is comes escaped
    answer = client.post(f"/api/v1/runs/{run_id}/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert read(house.database, run_id) == []


@pytest.mark.parametrize("run_id", ["unknown", "%00", "k" * 300, "%F0%9F%A6%8A"])
def test_events_of_no_run_are_not_found(client: TestClient, run_id: str) -> None:
    assert client.get(f"/api/v1/runs/{run_id}/events").status_code == 404
    assert client.post(f"/api/v1/runs/{run_id}/events", json={"offset": 0, "events": []}).status_code == 404
