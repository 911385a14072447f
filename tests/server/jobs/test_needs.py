"""Jobs that wait for runs."""

from sqlalchemy import update
from sqlmodel import col
from starlette.testclient import TestClient

from server.house import House
from server.tables import Run, RunState
from server.timer import Timer
from tests.server.fakes import RecordedWakeUps
from tests.server.jobs.asking import (
    API,
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


def test_a_job_waits_until_what_it_needs_has_succeeded(client: TestClient, wake_ups: RecordedWakeUps) -> None:
    worker, needed = register(client, slots=2), submit(client)
    waiting = submit(client, needs=[needed])
    found = job(client, waiting)
    assert (found["unmet_needs"], found["needs"]) == (1, [needed])
    assert found["run"]["reason"] == "It waits for 1 of the runs that it needs."
    claimed = start(client, worker)
    assert claim(client, worker)["claim"] is None
    wake_ups.sent.clear()
    end(client, claimed)
    assert wake_ups.sent == [("cpu", waiting)]
    assert job(client, waiting)["unmet_needs"] == 0
    assert start(client, worker)["run_id"] == waiting


def test_a_job_that_needs_two_waits_for_both(client: TestClient) -> None:
    worker = register(client, slots=3)
    first, second = submit(client, priority=2), submit(client, priority=1)
    waiting = submit(client, needs=[first, second])
    one, two = start(client, worker), start(client, worker)
    end(client, one)
    assert job(client, waiting)["unmet_needs"] == 1
    assert claim(client, worker)["claim"] is None
    end(client, two)
    assert start(client, worker)["run_id"] == waiting


def test_a_chain_is_cancelled_when_its_first_link_fails(client: TestClient) -> None:
    worker, first = register(client), submit(client, name="train it")
    second = submit(client, needs=[first], name="judge it")
    third = submit(client, needs=[second])
    end(client, start(client, worker), "failed")
    assert [state(client, run) for run in (first, second, third)] == ["failed", "cancelled", "cancelled"]
    assert get(client, f"/runs/{second}")["reason"] == f"It needs run {first} (train it), which failed."
    assert get(client, f"/runs/{third}")["reason"] == f"It needs run {second} (judge it), which was cancelled."
    assert event_kinds(client, third) == ["queued", "cancelled"]


def test_a_cancelled_job_takes_those_with_it_that_need_it(client: TestClient) -> None:
    first = submit(client)
    second, apart = submit(client, needs=[first]), submit(client)
    post(client, f"/jobs/{first}/cancel")
    assert [state(client, run) for run in (first, second, apart)] == ["cancelled", "cancelled", "queued"]


def test_many_that_are_cancelled_count_those_that_needed_them(client: TestClient) -> None:
    first = submit(client)
    submit(client, needs=[first], queue="gpu")
    assert post(client, "/jobs/cancel", {"queue": "cpu"}) == {"cancelled": 2, "stopping": 0}


def test_a_drained_or_lost_attempt_cancels_nobody(client: TestClient) -> None:
    worker, first = register(client), submit(client)
    second = submit(client, needs=[first])
    end(client, start(client, worker), "drained")
    assert [state(client, run) for run in (first, second)] == ["queued", "queued"]


def test_a_cancelled_link_can_be_retried_once_the_one_before_is(client: TestClient) -> None:
    worker, first = register(client), submit(client)
    second = submit(client, needs=[first])
    end(client, start(client, worker), "failed")
    refusal = refused(client.post(f"{API}/jobs/{second}/retry"))
    assert refusal == (409, "conflict", f"It needs run {first}, which failed.")
    post(client, f"/jobs/{first}/retry")
    assert post(client, f"/jobs/{second}/retry")["unmet_needs"] == 1
    end(client, start(client, worker))
    assert start(client, worker)["run_id"] == second


def test_an_imported_run_can_be_needed(client: TestClient) -> None:
    worker = register(client)
    imported = post(client, "/runs", {"experiment": "peers"}, status=201)["id"]
    waiting = submit(client, needs=[imported])
    assert claim(client, worker)["claim"] is None
    post(client, f"/runs/{imported}/finish", {"state": "succeeded"})
    assert start(client, worker)["run_id"] == waiting


def test_what_slipped_through_between_a_failure_and_a_submission_is_found_by_the_timer(
    client: TestClient, house: House
) -> None:
    first = submit(client)
    second = submit(client, needs=[first])
    with house.database.writing() as session:  # as if it had failed while the other one was being written
        session.connection().execute(update(Run).where(col(Run.id) == first).values(state=RunState.FAILED))
    Timer(house).look()
    assert state(client, second) == "cancelled"
