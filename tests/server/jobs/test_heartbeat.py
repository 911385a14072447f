"""Signs of life of an attempt: they keep the lease, carry the progress, and bring the order to stop."""

from starlette.testclient import TestClient

from tests.server.fakes import SetClock
from tests.server.jobs.asking import API, end, get, job, post, refused, register, start, submit


def test_a_heartbeat_keeps_the_lease_and_says_how_far_it_is(client: TestClient, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client, words=["preset=cartpole", "steps=8000"])
    claimed = start(client, worker)
    clock.advance(10)
    beat = {"env_steps": 4000, "train_steps": 1488, "steps_per_s": 400.0, "usage": {"rss_mib": 640, "cpu_percent": 99}}
    assert post(client, f"/jobs/{run_id}/heartbeat", beat, lease=claimed["token"]) == {"cancel": False, "lease_s": 30.0}
    found = job(client, run_id)
    assert found["lease_until"] == "2023-11-14T22:14:00.000+00:00"
    assert found["usage"] == {"rss_mib": 640.0, "cpu_percent": 99.0}
    run = found["run"]
    assert (run["env_steps"], run["train_steps"], run["progress"], run["eta_s"]) == (4000, 1488, 0.5, 10.0)


def test_a_heartbeat_without_news_changes_no_version(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    lease = start(client, worker)["token"]
    post(client, f"/jobs/{run_id}/heartbeat", {"env_steps": 5}, lease=lease)
    version = get(client, f"/runs/{run_id}")["version"]
    post(client, f"/jobs/{run_id}/heartbeat", {"env_steps": 5}, lease=lease)
    post(client, f"/jobs/{run_id}/heartbeat", {}, lease=lease)
    assert get(client, f"/runs/{run_id}")["version"] == version


def test_a_heartbeat_hears_that_it_shall_stop(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    lease = start(client, worker)["token"]
    post(client, f"/jobs/{run_id}/cancel")
    assert post(client, f"/jobs/{run_id}/heartbeat", {}, lease=lease)["cancel"] is True


def test_a_heartbeat_after_the_end_is_refused(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    claimed = start(client, worker)
    end(client, claimed)
    response = client.post(f"{API}/jobs/{run_id}/heartbeat", json={}, headers={"X-Dreamgate-Lease": claimed["token"]})
    message = f"This attempt at run {run_id} is over; nobody holds the run now."
    assert refused(response) == (409, "lease_lost", message)


def test_a_heartbeat_that_comes_late_counts_while_nobody_took_the_job(client: TestClient, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    lease = start(client, worker)["token"]
    clock.advance(300)  # the lease ran out, and no timer has looked
    post(client, f"/jobs/{run_id}/heartbeat", {}, lease=lease)
    assert job(client, run_id)["lease_until"] == "2023-11-14T22:18:50.000+00:00"
