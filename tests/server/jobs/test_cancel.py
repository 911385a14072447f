"""Cancelling one job, and many."""

import pytest
from starlette.testclient import TestClient

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
    submit_all,
)


def test_what_waits_is_cancelled_at_once(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    found = post(client, f"/jobs/{run_id}/cancel")
    assert (found["state"], found["cancel_requested"]) == ("cancelled", True)
    assert found["run"]["reason"] == "It was cancelled while it waited."
    assert found["run"]["ended_at"] == "2023-11-14T22:13:20.000+00:00"
    assert claim(client, worker)["claim"] is None
    assert event_kinds(client, run_id) == ["queued", "cancelled"]


def test_what_runs_saves_its_state_first(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    assert post(client, f"/jobs/{run_id}/cancel")["state"] == "stopping"
    assert end(client, claimed, "cancelled", exit_code=75) == "cancelled"
    assert get(client, f"/runs/{run_id}")["reason"] == "It was cancelled while it ran."
    assert event_kinds(client, run_id) == ["queued", "started", "stopping", "cancelled"]


@pytest.mark.parametrize("runs", [False, True])
def test_cancelling_twice_is_harmless(client: TestClient, runs: bool) -> None:
    worker, run_id = register(client), submit(client)
    if runs:
        start(client, worker)
    first = post(client, f"/jobs/{run_id}/cancel")
    second = post(client, f"/jobs/{run_id}/cancel")
    assert (second["state"], second["run"]["version"]) == (first["state"], first["run"]["version"])


def test_a_cancel_that_comes_too_late_says_so(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker))
    response = client.post(f"{API}/jobs/{run_id}/cancel")
    assert refused(response) == (409, "conflict", f"Run {run_id} has succeeded already.")


def test_a_run_that_got_done_before_it_could_stop_has_succeeded(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    post(client, f"/jobs/{run_id}/cancel")
    assert end(client, claimed, "succeeded") == "succeeded"
    assert post(client, f"/jobs/{run_id}/cancel")["state"] == "succeeded"  # said again, it is the same cancel


def test_many_are_cancelled_by_queue(client: TestClient) -> None:
    worker = register(client)
    runs = [found["run_id"] for found in submit_all(client, seeds=[0, 1, 2])]
    other = submit(client, queue="gpu")
    running = start(client, worker)["run_id"]
    assert post(client, "/jobs/cancel", {"queue": "cpu"}) == {"cancelled": 2, "stopping": 1}
    assert state(client, running) == "stopping"
    assert {state(client, run) for run in runs if run != running} == {"cancelled"}
    assert state(client, other) == "queued"


def test_many_are_cancelled_by_experiment_and_by_id(client: TestClient) -> None:
    kept, first = submit(client), submit(client, experiment="horizon")
    second = submit(client)
    assert post(client, "/jobs/cancel", {"experiment": "horizon"}) == {"cancelled": 1, "stopping": 0}
    assert post(client, "/jobs/cancel", {"ids": [second, "nobody"]}) == {"cancelled": 1, "stopping": 0}
    assert [state(client, run) for run in (first, second, kept)] == ["cancelled", "cancelled", "queued"]


def test_only_those_in_the_asked_states_are_cancelled(client: TestClient) -> None:
    worker = register(client)
    submit_all(client, seeds=[0, 1])
    running = start(client, worker)["run_id"]
    said = {"queue": "cpu", "states": ["queued"]}
    assert post(client, "/jobs/cancel", said) == {"cancelled": 1, "stopping": 0}
    assert state(client, running) == "running"


def test_an_empty_request_does_not_stop_everything(client: TestClient) -> None:
    submit(client)
    assert client.post(f"{API}/jobs/cancel", json={}).status_code == 422
    assert post(client, "/jobs/cancel", {"ids": []}) == {"cancelled": 0, "stopping": 0}


def test_cancelling_what_was_cancelled_changes_nothing(client: TestClient) -> None:
    run_id = submit(client)
    post(client, "/jobs/cancel", {"queue": "cpu"})
    version = job(client, run_id)["run"]["version"]
    assert post(client, "/jobs/cancel", {"queue": "cpu"}) == {"cancelled": 0, "stopping": 0}
    assert job(client, run_id)["run"]["version"] == version
