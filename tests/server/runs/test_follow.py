"""How far somebody else's run is, by its own records."""

import pytest
from fastapi.testclient import TestClient


@pytest.fixture
def run_id(client: TestClient) -> str:
    made: str = client.post("/api/v1/runs", json={"experiment": "mine", "total_steps": 1000}).json()["id"]
    return made


def send(client: TestClient, run_id: str, offset: int, *records: dict[str, float]) -> dict[str, int]:
    client.post(f"/api/v1/runs/{run_id}/metrics", json={"offset": offset, "records": list(records)}).raise_for_status()
    run = client.get(f"/api/v1/runs/{run_id}").json()
    return {name: run[name] for name in ("env_steps", "train_steps", "progress", "version")}


def test_its_records_say_how_far_it_is(client: TestClient, run_id: str) -> None:
    first = send(client, run_id, 0, {"env_steps": 100, "train_steps": 10, "loss": 1}, {"env_steps": 200, "loss": 2})
    assert first == {"env_steps": 200, "train_steps": 10, "progress": 0.2, "version": 2}


def test_it_never_goes_back(client: TestClient, run_id: str) -> None:
    send(client, run_id, 0, {"env_steps": 500, "loss": 1})
    assert send(client, run_id, 1, {"env_steps": 100, "loss": 1})["env_steps"] == 500


def test_what_was_sent_twice_changes_nothing(client: TestClient, run_id: str) -> None:
    first = send(client, run_id, 0, {"env_steps": 500, "loss": 1})
    assert send(client, run_id, 0, {"env_steps": 500, "loss": 1}) == first
