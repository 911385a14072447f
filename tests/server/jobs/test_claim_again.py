"""A claim whose answer was lost is sent again under its key, and gets the same job: no attempt is wasted."""

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.house import House
from server.jobs.reaper import reap
from tests.server.fakes import SetClock
from tests.server.jobs.asking import API, Json, get, job, post, refused, register, start, submit


def _claim(client: TestClient, worker: str, key: str = "k", **body: Any) -> Any:
    said = {"queues": ["cpu"], "free_gpus": 0, **body}
    return client.post(f"{API}/workers/{worker}/claim", json=said, headers={"Idempotency-Key": key})


def _claimed(client: TestClient, worker: str, key: str = "k") -> Json:
    response = _claim(client, worker, key)
    assert response.status_code == 200, response.text
    found: Json = response.json()["claim"]
    return found


def test_the_same_claim_again_gets_the_same_attempt_at_the_same_job(client: TestClient) -> None:
    worker, run_id = register(client), submit(client, priority=1)
    submit(client)
    first, second = _claimed(client, worker), _claimed(client, worker)
    assert first == second
    assert (first["run_id"], first["attempt"]) == (run_id, 1)
    assert len(job(client, run_id)["attempts"]) == 1
    assert _claim(client, worker).headers["Idempotency-Replayed"] == "true"


def test_another_key_or_another_worker_gets_another_job(client: TestClient) -> None:
    worker, other = register(client), register(client, "other")
    runs = {submit(client) for _ in range(3)}
    got = [_claimed(client, worker), _claimed(client, worker, "l"), _claimed(client, other)]
    assert {claimed["run_id"] for claimed in got} == runs


def test_that_there_was_nothing_is_not_remembered(client: TestClient) -> None:
    worker = register(client)
    assert _claimed(client, worker) is None
    run_id = submit(client)
    assert _claimed(client, worker)["run_id"] == run_id


def test_hearing_of_it_late_gives_a_whole_lease(client: TestClient, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    _claimed(client, worker)
    clock.advance(29)
    _claimed(client, worker)
    assert job(client, run_id)["lease_until"] == "2023-11-14T22:14:19.000+00:00"  # 59 s after the first claim


def test_a_claim_that_is_sent_again_is_a_sign_of_life(client: TestClient, clock: SetClock) -> None:
    worker = register(client)
    submit(client)
    _claimed(client, worker)
    clock.advance(29)
    _claimed(client, worker)
    [found] = get(client, "/workers")["items"]
    assert found["seen_at"] == "2023-11-14T22:13:49.000+00:00"


def test_a_job_that_was_taken_back_meanwhile_is_claimed_anew(client: TestClient, house: House, clock: SetClock) -> None:
    worker, run_id = register(client), submit(client)
    first = _claimed(client, worker)
    clock.advance(31)
    with house.database.writing() as session:
        reap(session, run_id, clock())
    assert _claimed(client, worker) is None  # it waits for a while after a lost worker
    clock.advance(10)
    second = _claimed(client, worker)
    assert (second["run_id"], second["attempt"]) == (run_id, 2)
    assert second["token"] != first["token"]
    assert _claimed(client, worker) == second


def test_a_job_that_has_ended_is_not_given_again(client: TestClient) -> None:
    worker = register(client)
    submit(client)
    first = _claimed(client, worker)
    post(client, f"/jobs/{first['run_id']}/end", {"outcome": "succeeded"}, lease=first["token"])
    assert _claimed(client, worker) is None


def test_a_key_is_for_one_request(client: TestClient) -> None:
    worker = register(client)
    submit(client)
    _claimed(client, worker)
    assert refused(_claim(client, worker, free_gpus=1))[:2] == (409, "conflict")


def test_without_a_key_every_claim_is_another_one(client: TestClient) -> None:
    worker = register(client)
    runs = {submit(client), submit(client)}
    assert {start(client, worker)["run_id"], start(client, worker)["run_id"]} == runs


@pytest.mark.parametrize("jobs", [1, 4])
def test_four_at_once_with_one_key_take_one_job(client: TestClient, jobs: int) -> None:
    worker = register(client)
    for _ in range(jobs):
        submit(client)
    begin, answers = threading.Barrier(4), []

    def send() -> None:
        begin.wait()
        answers.append(_claimed(client, worker)["token"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(answers), len(set(answers))) == (4, 1)
