"""Retrying from the start, and resuming from the last checkpoint."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.house import House
from tests.server.fakes import SetClock
from tests.server.jobs.asking import (
    API,
    end,
    event_kinds,
    get,
    job,
    post,
    refused,
    register,
    start,
    submit,
    submit_all,
)


def _failed(client: TestClient, worker: str, **fields: object) -> str:
    """A job that failed after it had said something."""
    run_id = submit(client, **fields)
    claimed = start(client, worker)
    lease = claimed["token"]
    records = [{"env_steps": step, "a": 1.0} for step in (1, 2, 3)]
    post(client, f"/runs/{run_id}/metrics", {"offset": 0, "records": records}, lease=lease)
    post(client, f"/runs/{run_id}/events", {"offset": 0, "events": [{"kind": "note"}]}, lease=lease)
    post(client, f"/jobs/{run_id}/heartbeat", {"env_steps": 3, "train_steps": 2}, lease=lease)
    end(client, claimed, "failed", error="ValueError: no")
    return run_id


def test_a_retry_takes_back_what_was_measured_and_starts_fresh(client: TestClient) -> None:
    worker = register(client)
    run_id = _failed(client, worker)
    found = post(client, f"/jobs/{run_id}/retry")
    run = found["run"]
    assert (run["state"], run["error"], run["reason"], run["ended_at"]) == ("queued", None, None, None)
    assert (run["env_steps"], run["train_steps"], run["started_at"]) == (0, 0, None)
    assert get(client, f"/runs/{run_id}/records")["total"] == 0
    claimed = start(client, worker)
    assert (claimed["attempt"], claimed["records"], claimed["events"], claimed["fresh"]) == (2, 0, 0, True)
    assert event_kinds(client, run_id) == ["queued", "started", "failed", "retried", "started"]


def test_a_retry_takes_back_the_files_of_its_attempts_and_leaves_those_of_people(
    client: TestClient, house: House, clock: SetClock
) -> None:
    worker, run_id = register(client), submit(client)
    path = f"{API}/runs/{run_id}/artifacts"
    claimed = start(client, worker)
    clock.advance(1)
    for name in ("eval/summary.json", "checkpoints/best.json"):
        lease = {"X-Dreamgate-Lease": claimed["token"]}
        assert client.put(f"{path}/{name}", content=name.encode(), headers=lease).status_code == 201
    clock.advance(1)
    end(client, claimed, "failed")
    clock.advance(1)
    client.put(f"{path}/notes.txt", content=b"why it failed")
    client.put(f"{path}/copy.json", content=b"eval/summary.json")  # the same content under a name of ours
    clock.advance(1)
    post(client, f"/jobs/{run_id}/retry")
    assert [item["name"] for item in get(client, f"/runs/{run_id}/artifacts")["items"]] == ["copy.json", "notes.txt"]
    assert client.get(f"{path}/copy.json").content == b"eval/summary.json"
    assert len([file for file in Path(house.store.url).rglob("*") if file.is_file()]) == 2


def test_a_retried_job_stays_fresh_until_it_has_said_something(client: TestClient) -> None:
    worker = register(client)
    run_id = _failed(client, worker)
    post(client, f"/jobs/{run_id}/retry")
    first = start(client, worker)
    end(client, first, "drained")  # perhaps before it had cleared its folder
    second = start(client, worker)
    records = [{"env_steps": 1, "a": 1.0}]
    post(client, f"/runs/{run_id}/metrics", {"offset": 0, "records": records}, lease=second["token"])
    end(client, second, "drained")
    third = start(client, worker)
    assert [claimed["fresh"] for claimed in (first, second, third)] == [True, True, False]


def test_a_resume_keeps_what_was_measured(client: TestClient) -> None:
    worker = register(client)
    run_id = _failed(client, worker)
    run = post(client, f"/jobs/{run_id}/resume", {"changes": []})["run"]
    assert (run["state"], run["error"], run["env_steps"]) == ("queued", None, 3)
    claimed = start(client, worker)
    assert (claimed["records"], claimed["events"], claimed["fresh"], claimed["resume_changes"]) == (3, 1, False, [])


def test_a_resume_may_make_it_longer(client: TestClient) -> None:
    worker = register(client)
    run_id = submit(client, words=["preset=cartpole", "steps=4000"])
    before = get(client, f"/runs/{run_id}")
    end(client, start(client, worker))
    run = post(client, f"/jobs/{run_id}/resume", {"changes": ["steps=8000"]})["run"]
    assert run["total_steps"] == 8000
    assert run["fingerprint"] != before["fingerprint"]
    assert run["family"] == before["family"]
    assert get(client, f"/runs/{run_id}")["config"]["algo"]["total_steps"] == 8000
    [twin] = submit_all(client, words=["preset=cartpole", "steps=8000"], queue="elsewhere")
    assert run["seed_group"] == twin["run"]["seed_group"]
    claimed = start(client, worker)
    assert (claimed["resume_changes"], claimed["fresh"]) == (["steps=8000"], False)


def test_a_resume_may_not_change_what_it_computes(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker), "failed")
    response = client.post(f"{API}/jobs/{run_id}/resume", json={"changes": ["algo.horizon=3"]})
    message = "algo.horizon: cannot change when a run is resumed; start a new run, or leave it out"
    assert refused(response) == (422, "invalid", message)
    assert job(client, run_id)["state"] == "failed"


def test_a_resume_may_not_end_before_what_is_done(client: TestClient) -> None:
    worker, run_id = register(client), submit(client, words=["preset=cartpole", "steps=4000"])
    claimed = start(client, worker)
    post(client, f"/jobs/{run_id}/heartbeat", {"env_steps": 2500}, lease=claimed["token"])
    end(client, claimed, "failed")
    response = client.post(f"{API}/jobs/{run_id}/resume", json={"changes": ["steps=2499"]})
    message = "algo.total_steps: is 2,499, but the run has done 2,500; ask for more"
    assert refused(response) == (422, "invalid", message)
    assert response.json()["error"]["where"] == "algo.total_steps"
    assert job(client, run_id)["state"] == "failed"
    assert post(client, f"/jobs/{run_id}/resume", {"changes": ["steps=2500"]})["run"]["total_steps"] == 2500


def test_a_last_step_that_went_beyond_the_end_does_not_hinder_a_resume(client: TestClient) -> None:
    """Several environments step together, so a run may do a few steps more than it was to."""
    worker, run_id = register(client), submit(client, words=["preset=cartpole", "steps=4000"])
    claimed = start(client, worker)
    post(client, f"/jobs/{run_id}/heartbeat", {"env_steps": 4003}, lease=claimed["token"])
    end(client, claimed)
    assert post(client, f"/jobs/{run_id}/resume", {"changes": ["run.log_every=50"]})["state"] == "queued"


def test_longer_trainings_from_two_checkpoints_stay_two_seed_groups(client: TestClient) -> None:
    worker, words = register(client), ["preset=cartpole", "mode=dreamer"]
    sources = [submit(client) for _ in range(2)]
    for _ in sources:
        end(client, start(client, worker))
    groups = []
    for source in sources:
        run_id = submit(client, words=[*words, "steps=4000"], checkpoint={"run": source})
        end(client, start(client, worker))
        groups.append(post(client, f"/jobs/{run_id}/resume", {"changes": ["steps=8000"]})["run"]["seed_group"])
        post(client, f"/jobs/{run_id}/cancel")
    [twin] = submit_all(client, words=[*words, "steps=8000"], checkpoint={"run": sources[0]})
    assert groups[0] == twin["run"]["seed_group"] != groups[1]


def test_a_resume_after_a_retry_that_never_began_still_starts_fresh(client: TestClient) -> None:
    worker = register(client)
    run_id = _failed(client, worker)
    post(client, f"/jobs/{run_id}/retry")
    post(client, f"/jobs/{run_id}/cancel")
    post(client, f"/jobs/{run_id}/resume")
    claimed = start(client, worker)
    assert (claimed["records"], claimed["fresh"]) == (0, True)


@pytest.mark.parametrize("what", ["retry", "resume"])
def test_a_job_that_is_not_over_cannot_start_again(client: TestClient, what: str) -> None:
    run_id = submit(client)
    assert refused(client.post(f"{API}/jobs/{run_id}/{what}"))[:2] == (409, "conflict")


def test_a_success_can_be_resumed_but_not_retried(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker))
    status, _, message = refused(client.post(f"{API}/jobs/{run_id}/retry"))
    assert (status, message) == (409, f"Run {run_id} is succeeded: retry is for runs that are failed or cancelled.")
    assert post(client, f"/jobs/{run_id}/resume")["state"] == "queued"


def test_a_retry_counts_lost_workers_anew_and_forgets_the_cancel(client: TestClient, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    start(client, worker)
    post(client, f"/jobs/{run_id}/cancel")
    register(client, pid=2)  # the worker came back as another process
    assert job(client, run_id)["state"] == "cancelled"
    clock.advance(5)
    found = post(client, f"/jobs/{run_id}/retry")
    assert (found["cancel_requested"], found["not_before"]) == (False, None)
    assert found["queued_at"] == "2023-11-14T22:13:25.000+00:00"


def test_only_trainings_have_checkpoints_to_go_on_from(client: TestClient) -> None:
    worker = register(client)
    run_id = submit(client, kind="bench", words=["preset=cartpole"])
    end(client, start(client, worker), "failed")
    message = "A run of kind bench has no checkpoints to go on from."
    assert refused(client.post(f"{API}/jobs/{run_id}/resume"))[2] == message
    assert post(client, f"/jobs/{run_id}/retry")["state"] == "queued"


def test_a_deleted_run_is_restored_before_it_starts_again(client: TestClient) -> None:
    run_id = submit(client)
    post(client, f"/jobs/{run_id}/cancel")
    client.delete(f"{API}/runs/{run_id}")
    assert refused(client.post(f"{API}/jobs/{run_id}/retry")) == (409, "conflict", f"Run {run_id} is deleted.")


def test_a_retry_sent_twice_with_one_key_queues_it_once(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    end(client, start(client, worker), "failed")
    key = {"Idempotency-Key": "again"}
    first = client.post(f"{API}/jobs/{run_id}/retry", headers=key)
    start(client, worker)
    second = client.post(f"{API}/jobs/{run_id}/retry", headers=key)
    assert (first.status_code, second.status_code, first.json()) == (200, 200, second.json())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert job(client, run_id)["state"] == "running"
