"""The same Idempotency-Key gets the same answer, and makes nothing more."""

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

API = "/api/v1"


def _create(client: TestClient, key: str, **body: Any) -> Any:
    return client.post(f"{API}/runs", json={"experiment": "peers", **body}, headers={"Idempotency-Key": key})


def _count(client: TestClient) -> int:
    return len(client.get(f"{API}/runs").json()["items"])


def test_the_same_request_with_the_same_key_is_answered_and_not_done_again(client: TestClient) -> None:
    first, second = _create(client, "k", seed=1), _create(client, "k", seed=1)
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _count(client) == 1


def test_the_order_of_keys_says_nothing(client: TestClient) -> None:
    first = _create(client, "k", config={"a": 1, "b": 2}, seed=1)
    second = _create(client, "k", seed=1, config={"b": 2, "a": 1})
    assert first.json() == second.json()


def test_another_request_with_the_same_key_is_refused(client: TestClient) -> None:
    _create(client, "k", seed=1)
    other = _create(client, "k", seed=2)
    assert (other.status_code, other.json()["error"]["where"]) == (409, "Idempotency-Key")
    assert _count(client) == 1


def test_the_same_key_elsewhere_is_another_one(client: TestClient) -> None:
    _create(client, "k")
    response = client.post(f"{API}/experiments", json={"name": "one"}, headers={"Idempotency-Key": "k"})
    assert response.status_code == 201


def test_without_a_key_every_request_is_done(client: TestClient) -> None:
    for _ in range(2):
        client.post(f"{API}/runs", json={"experiment": "peers"})
    assert _count(client) == 2


def test_a_request_that_was_refused_may_be_sent_again(client: TestClient) -> None:
    client.delete(f"{API}/experiments/{client.post(f'{API}/experiments', json={'name': 'peers'}).json()['id']}")
    assert _create(client, "k").status_code == 409
    [experiment] = client.get(f"{API}/experiments?deleted=true").json()["items"]
    client.post(f"{API}/experiments/{experiment['id']}/restore")
    assert _create(client, "k").status_code == 201


def test_two_at_once_make_one(client: TestClient) -> None:
    start, answers = threading.Barrier(2), []

    def send() -> None:
        start.wait()
        answers.append(_create(client, "k", seed=1).json()["id"])

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 2
    assert len(set(answers)) == _count(client) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "é"])
def test_a_key_that_is_no_word_is_refused(client: TestClient, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    response = client.post(f"{API}/runs", json={"experiment": "peers"}, headers=headers)
    assert response.status_code == 422
