"""What the server does by itself: leases that ran out, workers that are gone, and what nobody was told."""

import logging
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from server.database import Database
from server.house import House
from server.jobs import wake
from server.timer import Timer
from tests.server.fakes import RecordedWakeUps, SetClock
from tests.server.jobs.asking import (
    API,
    Json,
    claim,
    end,
    event_kinds,
    get,
    job,
    post,
    refused,
    register,
    start,
    state,
    submit,
)
from tests.server.live.serving import wait_until


@pytest.fixture
def timer(house: House) -> Timer:
    """A server that has been up for a while."""
    timer = Timer(house)
    timer.look()
    return timer


def _wait(timer: Timer, clock: SetClock, seconds: float) -> None:
    """As a timer does that looks every five seconds."""
    while seconds > 0:
        clock.advance(min(5.0, seconds))
        seconds -= 5.0
        timer.look()


def test_a_job_whose_worker_is_silent_goes_back_into_the_queue(
    client: TestClient, timer: Timer, clock: SetClock
) -> None:
    worker, run_id = register(client, "box"), submit(client)
    start(client, worker)
    _wait(timer, clock, 30)
    assert state(client, run_id) == "running"
    _wait(timer, clock, 5)
    found = job(client, run_id)
    [attempt] = found["attempts"]
    assert (found["state"], found["lease_until"], attempt["outcome"]) == ("queued", None, "lost")
    assert attempt["reason"] == "Nothing is heard of worker box any more."
    assert found["run"]["reason"] == f"{attempt['reason']} It goes on from its last checkpoint in 10 s."
    assert event_kinds(client, run_id) == ["queued", "started", "lost"]


def test_a_lost_job_waits_longer_each_time_and_fails_in_the_end(
    client: TestClient, timer: Timer, clock: SetClock
) -> None:
    worker, run_id = register(client, "box"), submit(client, max_lost=2)
    for wait_s in (10, 20):
        start(client, worker)
        _wait(timer, clock, 35)
        lost_at = clock()
        assert claim(client, worker)["claim"] is None
        clock.advance(wait_s - 0.1)
        assert claim(client, worker)["claim"] is None
        clock.at = lost_at + wait_s
        timer.look()
    start(client, worker)
    _wait(timer, clock, 35)
    run = get(client, f"/runs/{run_id}")
    reason = "Its worker was lost 3 times. Nothing is heard of worker box any more."
    assert (run["state"], run["reason"]) == ("failed", reason)
    assert run["error"] == "Nothing is heard of worker box any more."


def test_a_worker_that_speaks_keeps_its_job(client: TestClient, timer: Timer, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    lease = start(client, worker)["token"]
    for _ in range(10):
        _wait(timer, clock, 20)
        post(client, f"/jobs/{run_id}/heartbeat", {}, lease=lease)
    assert state(client, run_id) == "running"


def test_whoever_lost_the_lease_can_write_nothing_more(client: TestClient, timer: Timer, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    _wait(timer, clock, 35)
    lease = {"X-Dreamgate-Lease": claimed["token"]}
    writes: list[tuple[str, Json]] = [
        (f"/jobs/{run_id}/heartbeat", {}),
        (f"/jobs/{run_id}/end", {"outcome": "succeeded"}),
        (f"/runs/{run_id}/metrics", {"offset": 0, "records": [{"env_steps": 1, "a": 1.0}]}),
        (f"/runs/{run_id}/events", {"offset": 0, "events": [{"kind": "note"}]}),
        (f"/runs/{run_id}/rewind", {"records": 0, "events": 0}),
    ]
    for path, body in writes:
        assert refused(client.post(API + path, json=body, headers=lease))[:2] == (409, "lease_lost")
    assert state(client, run_id) == "queued"


def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_is_lost(
    client: TestClient, timer: Timer, clock: SetClock
) -> None:
    worker, run_id = register(client, "box"), submit(client)
    start(client, worker)
    post(client, f"/jobs/{run_id}/cancel")
    _wait(timer, clock, 35)
    run = get(client, f"/runs/{run_id}")
    assert (run["state"], run["reason"]) == ("cancelled", "It was to stop. Nothing is heard of worker box any more.")


def test_a_server_that_was_away_gives_every_worker_one_lease_more(
    client: TestClient, house: House, clock: SetClock
) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    clock.advance(600)  # nobody could speak to a server that was not there
    timer = Timer(house)
    timer.look()
    _wait(timer, clock, 30)
    assert state(client, run_id) == "running"
    _wait(timer, clock, 5)
    assert state(client, run_id) == "queued"


def test_a_server_that_slept_gives_every_worker_one_lease_more(
    client: TestClient, timer: Timer, clock: SetClock
) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    clock.advance(600)
    timer.look()
    assert state(client, run_id) == "running"


def test_a_clock_that_is_set_back_holds_no_job_for_ever(client: TestClient, timer: Timer, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    clock.advance(-3600)
    timer.look()
    _wait(timer, clock, 35)
    assert state(client, run_id) == "queued"


def test_a_clock_that_is_set_back_keeps_no_lost_job_waiting_for_longer_than_the_longest_wait(
    client: TestClient, timer: Timer, clock: SetClock
) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    _wait(timer, clock, 35)  # lost; it waits for ten seconds
    clock.advance(-3600)
    timer.look()
    clock.advance(299)
    assert claim(client, worker)["claim"] is None
    clock.advance(1)
    assert start(client, worker)["run_id"] == run_id


def test_a_worker_that_is_silent_for_three_leases_is_offline_until_it_speaks(
    client: TestClient, timer: Timer, clock: SetClock
) -> None:
    worker = register(client)
    _wait(timer, clock, 90)
    assert get(client, "/workers")["items"][0]["state"] == "online"
    _wait(timer, clock, 5)
    found = get(client, "/workers")["items"][0]
    assert (found["state"], found["free_slots"]) == ("offline", 0)
    post(client, f"/workers/{worker}/heartbeat", {"state": "online", "free_slots": 1})
    assert get(client, "/workers")["items"][0]["state"] == "online"


def test_a_waiting_job_says_why_as_workers_come_and_go(client: TestClient, timer: Timer, clock: SetClock) -> None:
    run_id = submit(client)
    assert get(client, f"/runs/{run_id}")["reason"] == "No live worker serves the queue 'cpu'."
    register(client)
    timer.look()
    assert get(client, f"/runs/{run_id}")["reason"] is None
    _wait(timer, clock, 95)
    assert get(client, f"/runs/{run_id}")["reason"] == "No live worker serves the queue 'cpu'."


def test_looking_changes_nothing_where_nothing_is_to_do(client: TestClient, timer: Timer) -> None:
    run_id = submit(client)
    timer.look()
    version = get(client, f"/runs/{run_id}")["version"]
    timer.look()
    assert get(client, f"/runs/{run_id}")["version"] == version


def test_free_workers_are_called_again_but_not_all_the_time(
    client: TestClient, timer: Timer, clock: SetClock, wake_ups: RecordedWakeUps
) -> None:
    register(client, slots=2)
    runs = [submit(client) for _ in range(3)]
    wake_ups.sent.clear()
    timer.look()
    assert len(wake_ups.sent) == 2
    assert {queue for queue, _ in wake_ups.sent} == {"cpu"}
    assert {run_id for _, run_id in wake_ups.sent} <= set(runs)
    _wait(timer, clock, wake.EVERY_S - 1)
    assert len(wake_ups.sent) == 2
    _wait(timer, clock, 1)
    assert len(wake_ups.sent) == 4


def test_busy_workers_are_left_alone(client: TestClient, timer: Timer, wake_ups: RecordedWakeUps) -> None:
    worker = register(client)
    submit(client)
    post(client, f"/workers/{worker}/heartbeat", {"state": "online", "free_slots": 0})
    wake_ups.sent.clear()
    timer.look()
    assert wake_ups.sent == []


def test_what_goes_wrong_stops_nothing_else(
    client: TestClient,
    house: House,
    timer: Timer,
    clock: SetClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)

    def broken(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is away"))

    monkeypatch.setattr("server.jobs.workers.silent", broken)
    with caplog.at_level(logging.ERROR):
        _wait(timer, clock, 35)
    assert "the timer could not look at workers" in caplog.text
    assert state(client, run_id) == "queued"


def test_a_database_that_was_away_takes_no_job_from_its_worker(
    client: TestClient, timer: Timer, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is away"))

    with monkeypatch.context() as patch:
        patch.setattr("server.jobs.reaper.overdue", away)
        _wait(timer, clock, 60)
    _wait(timer, clock, 30)
    assert state(client, run_id) == "running"
    _wait(timer, clock, 10)
    assert state(client, run_id) == "queued"


def test_old_keys_are_forgotten_after_a_day(client: TestClient, house: House, timer: Timer, clock: SetClock) -> None:
    client.post(f"{API}/experiments", json={"name": "one"}, headers={"Idempotency-Key": "k"})
    _count = text("SELECT count(*) FROM repeated_request")
    clock.advance(24 * 3600)
    timer.look()
    with house.database.reading() as session:
        assert session.connection().execute(_count).scalar_one() == 1
    clock.advance(601)
    timer.look()
    with house.database.reading() as session:
        assert session.connection().execute(_count).scalar_one() == 0


def test_an_ended_job_is_never_lost(client: TestClient, timer: Timer, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker))
    _wait(timer, clock, 100)
    assert state(client, run_id) == "succeeded"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_judging_a_suite_keeps_no_lost_job_waiting(
    client: TestClient, house: House, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_judged = threading.Event()
    monkeypatch.setattr("server.suites.advance.Suites.advance", lambda _: is_judged.wait(60))
    worker, run_id = register(client), submit(client)
    start(client, worker)
    timer = Timer(replace(house, settings=replace(house.settings, timer_s=0.01)))
    timer.start()
    try:
        for _ in range(5):
            clock.advance(10)
            wait_until(lambda: timer._looked_at == clock())
        assert state(client, run_id) == "queued"
    finally:
        is_judged.set()
        timer.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_writer_that_kept_the_database_takes_no_job_from_its_worker(
    client: TestClient, house: House, clock: SetClock
) -> None:
    """It could be read all the time, but no worker could speak."""
    impatient = replace(house, database=Database(house.database.url, busy_s=0))
    timer = Timer(impatient)
    timer.look()
    worker, run_id = register(client), submit(client)
    start(client, worker)
    with closing(sqlite3.connect(house.database.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        _wait(timer, clock, 60)
        other.execute("ROLLBACK")
    _wait(timer, clock, 30)
    assert state(client, run_id) == "running"
    _wait(timer, clock, 10)
    assert state(client, run_id) == "queued"
    impatient.database.close()
