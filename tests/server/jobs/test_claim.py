"""Handing out jobs: which one is next, for whom, and with what."""

from starlette.testclient import TestClient

from tests.server.fakes import SetClock
from tests.server.jobs import asking
from tests.server.jobs.asking import API, claim, event_kinds, get, job, post, refused, register, start, submit

NOTHING = {"claim": None, "wait": False}


def test_a_claim_says_all_that_a_worker_needs(client: TestClient) -> None:
    worker = register(client)
    run_id = submit(
        client, words=["preset=cartpole", "seed=2"], name="short", commit=None, limits={"rss_mib": 512}, gpus=0
    )
    claimed = start(client, worker)
    config = get(client, f"/runs/{run_id}")["config"]
    assert len(claimed.pop("token")) == 32
    assert claimed == {
        "run_id": run_id,
        "attempt": 1,
        "kind": "train",
        "name": "short",
        "config": config,
        "arguments": {},
        "mode": "train",
        "seed": 2,
        "commit": None,
        "checkpoint": None,
        "gpus": 0,
        "limits": {"rss_mib": 512},
        "lease_s": 30.0,
        "records": 0,
        "events": 0,
        "log_bytes": 0,
        "resume_changes": [],
        "fresh": False,
    }


def test_a_claimed_job_runs_and_has_an_attempt(client: TestClient) -> None:
    worker, run_id = register(client, "box"), submit(client)
    start(client, worker)
    found = job(client, run_id)
    [attempt] = found["attempts"]
    assert (found["state"], found["position"]) == ("running", None)
    assert found["lease_until"] == "2023-11-14T22:13:50.000+00:00"  # the clock stands at 22:13:20
    assert (attempt["number"], attempt["worker_id"], attempt["worker"]) == (1, worker, "box")
    assert (attempt["outcome"], attempt["started_at"]) == (None, "2023-11-14T22:13:20.000+00:00")
    assert event_kinds(client, run_id) == ["queued", "started"]


def test_priority_goes_before_age_and_age_before_the_id(client: TestClient, clock: SetClock) -> None:
    worker = register(client, slots=4)
    old = submit(client)
    clock.advance(1)
    young, urgent = submit(client), submit(client, priority=1)
    low = submit(client, priority=-1)
    assert [start(client, worker)["run_id"] for _ in range(4)] == [urgent, old, young, low]
    assert claim(client, worker) == NOTHING


def test_positions_follow_the_order_of_claims(client: TestClient, clock: SetClock) -> None:
    first = submit(client)
    clock.advance(1)
    second, urgent = submit(client), submit(client, priority=1)
    elsewhere = submit(client, queue="gpu")
    assert [job(client, run)["position"] for run in (urgent, first, second, elsewhere)] == [1, 2, 3, 1]


def test_only_the_asked_queues_are_looked_at(client: TestClient) -> None:
    worker = register(client, queues=["cpu", "gpu"], gpus=1)
    submit(client)
    assert claim(client, worker, ("gpu",), 1) == NOTHING
    assert claim(client, worker, ()) == NOTHING


def test_a_job_that_lacks_gpus_which_are_busy_is_waited_for(client: TestClient, clock: SetClock) -> None:
    worker = register(client, queues=["gpu"], gpus=2, slots=2)
    big = submit(client, queue="gpu", gpus=2)
    clock.advance(1)
    submit(client, queue="gpu", gpus=1)
    assert claim(client, worker, ("gpu",), 1) == {"claim": None, "wait": True}
    assert start(client, worker, queues=("gpu",), free_gpus=2)["run_id"] == big


def test_a_job_with_more_gpus_than_the_worker_has_is_passed_over(client: TestClient, clock: SetClock) -> None:
    worker = register(client, queues=["gpu"], gpus=1)
    submit(client, queue="gpu", gpus=4)
    clock.advance(1)
    small = submit(client, queue="gpu", gpus=1)
    assert start(client, worker, queues=("gpu",), free_gpus=1)["run_id"] == small


def test_a_job_of_a_commit_waits_for_a_worker_with_a_repository(client: TestClient) -> None:
    plain, with_source = register(client, "plain"), register(client, "source", runs_commits=True)
    run_id = submit(client, commit="abcdef1")
    assert claim(client, plain) == NOTHING
    claimed = start(client, with_source)
    assert (claimed["run_id"], claimed["commit"]) == (run_id, "abcdef1")


def test_a_worker_that_goes_gets_nothing_more(client: TestClient) -> None:
    worker = register(client)
    submit(client)
    post(client, f"/workers/{worker}/heartbeat", {"state": "draining", "free_slots": 1})
    assert claim(client, worker) == NOTHING


def test_a_worker_that_nobody_knows_must_register(client: TestClient) -> None:
    response = client.post(f"{API}/workers/nobody/claim", json={"queues": ["cpu"], "free_gpus": 0})
    assert refused(response) == (404, "not_found", "There is no worker 'nobody'.")


def test_an_evaluation_is_told_which_checkpoint(client: TestClient) -> None:
    worker = register(client, slots=2)
    trained = submit(client)
    start(client, worker)
    submit(client, kind="eval", checkpoint={"run": trained, "which": "best"}, arguments={"episodes": 5})
    claimed = start(client, worker)
    assert claimed["checkpoint"] == {"run_id": trained, "which": "best"}
    assert claimed["arguments"] == {"episodes": 5, "greedy": False}


def test_a_second_attempt_is_told_what_the_server_has_already(client: TestClient) -> None:
    worker, run_id = register(client), submit(client)
    first = start(client, worker)
    lease = first["token"]
    post(client, f"/runs/{run_id}/metrics", {"offset": 0, "records": [{"env_steps": 1, "a": 1.0}]}, lease=lease)
    post(client, f"/runs/{run_id}/events", {"offset": 0, "events": [{"kind": "note"}, {"kind": "note"}]}, lease=lease)
    client.post(f"{API}/runs/{run_id}/log?offset=0", content=b"hello\n", headers={"X-Dreamgate-Lease": lease})
    asking.end(client, first, "drained")
    second = start(client, worker)
    assert (second["attempt"], second["records"], second["events"], second["log_bytes"]) == (2, 1, 2, 6)
    assert second["token"] != lease


def test_a_workers_clock_is_never_read(client: TestClient, clock: SetClock) -> None:
    """Nothing that a worker sends is a time that decides; a lease is counted by the server's clock alone."""
    worker, run_id = register(client, facts={"now": 0.0, "started_at": 9e9}), submit(client)
    clock.advance(100)
    claimed = start(client, worker)
    assert job(client, run_id)["lease_until"] == "2023-11-14T22:15:30.000+00:00"  # 22:13:20, 100 s, 30 s
    clock.advance(10)
    asking.end(client, claimed)
    [attempt] = job(client, run_id)["attempts"]
    assert (attempt["started_at"], attempt["ended_at"]) == (
        "2023-11-14T22:15:00.000+00:00",
        "2023-11-14T22:15:10.000+00:00",
    )
