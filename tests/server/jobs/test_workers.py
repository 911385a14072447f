"""Workers: registering, coming back, and what they have in hand."""

from starlette.testclient import TestClient

from server.database import Database
from tests.server.factories import a_worker
from tests.server.fakes import RecordedWakeUps, SetClock
from tests.server.jobs.asking import API, get, job, post, refused, register, start, state, submit


def test_a_worker_is_shown_with_what_it_has_in_hand(client: TestClient) -> None:
    worker = register(client, "box", queues=["gpu", "cpu"], gpus=2, slots=2, facts={"cpu": "2 cores"})
    run_id = submit(client, name="short")
    lease = start(client, worker)["token"]
    post(client, f"/jobs/{run_id}/heartbeat", {"usage": {"rss_mib": 640}}, lease=lease)
    [found] = get(client, "/workers")["items"]
    assert (found["name"], found["queues"], found["gpus"], found["slots"]) == ("box", ["gpu", "cpu"], 2, 2)
    assert (found["state"], found["facts"]) == ("online", {"cpu": "2 cores"})
    [running] = found["running"]
    assert (running["run_id"], running["name"], running["usage"]) == (run_id, "short", {"rss_mib": 640.0})


def test_the_same_process_that_registers_again_keeps_its_jobs(client: TestClient) -> None:
    worker, run_id = register(client, "box", pid=7), submit(client)
    lease = start(client, worker)["token"]
    assert register(client, "box", pid=7, slots=3) == worker
    post(client, f"/jobs/{run_id}/heartbeat", {}, lease=lease)
    assert state(client, run_id) == "running"


def test_another_process_under_the_name_has_lost_the_first_ones_jobs(
    client: TestClient, wake_ups: RecordedWakeUps
) -> None:
    worker, run_id = register(client, "box", pid=7), submit(client)
    old = start(client, worker)
    wake_ups.sent.clear()
    assert register(client, "box", pid=8) == worker
    found = job(client, run_id)
    assert (found["state"], found["attempts"][0]["outcome"], found["not_before"]) == ("queued", "lost", None)
    assert found["run"]["reason"] == "Worker box was started anew. It goes on from its last checkpoint."
    assert wake_ups.sent == [("cpu", run_id)]
    response = client.post(f"{API}/jobs/{run_id}/heartbeat", json={}, headers={"X-Dreamgate-Lease": old["token"]})
    assert refused(response)[1] == "lease_lost"
    assert start(client, worker)["attempt"] == 2


def test_a_job_that_kills_its_worker_each_time_fails_in_the_end(client: TestClient) -> None:
    run_id = submit(client, max_lost=1)
    for pid in (1, 2):
        start(client, register(client, "box", pid=pid))
    register(client, "box", pid=3)
    run = get(client, f"/runs/{run_id}")
    assert (run["state"], run["reason"]) == ("failed", "Its worker was lost 2 times. Worker box was started anew.")


def test_a_worker_that_comes_back_leaves_the_jobs_of_others_alone(client: TestClient) -> None:
    first, second = register(client, "one"), register(client, "two")
    run_id = submit(client)
    start(client, first)
    register(client, "two", pid=99)
    assert (state(client, run_id), second != first) == ("running", True)


def test_a_worker_that_is_gone_is_listed_for_a_week(client: TestClient, database: Database, clock: SetClock) -> None:
    day = 24 * 3600
    with database.writing() as session:
        for name, state, days in (("here", "online", 0), ("lately", "offline", 6), ("long-ago", "offline", 8)):
            a_worker(session, name, state=state, seen_at=clock() - days * day)
    assert [worker["name"] for worker in client.get("/api/v1/workers").json()["items"]] == ["here", "lately"]


def test_a_worker_that_nobody_knows_is_told_to_register(client: TestClient) -> None:
    response = client.post(f"{API}/workers/nobody/heartbeat", json={"state": "online", "free_slots": 1})
    assert refused(response) == (404, "not_found", "There is no worker 'nobody'.")


def test_a_worker_says_why_it_takes_no_jobs(client: TestClient) -> None:
    worker, full = register(client, "box"), "the disk of /runs has only 63 MiB left"
    beat = {"state": "online", "free_slots": 1}
    post(client, f"/workers/{worker}/heartbeat", {**beat, "problem": full})
    assert get(client, "/workers")["items"][0]["problem"] == full
    assert job(client, submit(client))["run"]["reason"] == f"The worker box takes no jobs: {full}."
    post(client, f"/workers/{worker}/heartbeat", beat)
    assert get(client, "/workers")["items"][0]["problem"] is None
    assert job(client, submit(client))["run"]["reason"] is None


def test_a_claim_is_a_sign_of_life(client: TestClient, clock: SetClock) -> None:
    worker = register(client)
    clock.advance(50)
    post(client, f"/workers/{worker}/claim", {"queues": ["cpu"], "free_gpus": 0})
    assert get(client, "/workers")["items"][0]["seen_at"] == "2023-11-14T22:14:10.000+00:00"


def test_queues_count_what_waits_what_runs_and_who_could_take_more(client: TestClient) -> None:
    worker = register(client, "box", queues=["cpu", "gpu"], slots=3, gpus=1)
    needed = submit(client)
    submit(client, needs=[needed])
    submit(client)
    start(client, worker)
    post(client, f"/workers/{worker}/heartbeat", {"state": "online", "free_slots": 2})
    assert get(client, "/queues")["items"] == [
        {"name": "cpu", "queued": 1, "waiting": 1, "running": 1, "workers": 1, "slots": 3, "free_slots": 2},
        {"name": "gpu", "queued": 0, "waiting": 0, "running": 0, "workers": 1, "slots": 3, "free_slots": 2},
    ]


def test_a_queue_that_nobody_serves_is_seen_while_a_job_waits_in_it(client: TestClient) -> None:
    submit(client, queue="tpu")
    [found] = get(client, "/queues")["items"]
    assert (found["name"], found["queued"], found["workers"]) == ("tpu", 1, 0)
