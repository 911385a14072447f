"""Runs of somebody else's trainer."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from tests.server.factories import a_running_job
from tests.server.fakes import SetClock

API = "/api/v1"


def _create(client: TestClient, **said: Any) -> dict[str, Any]:
    response = client.post(f"{API}/runs", json={"experiment": "peers", **said})
    assert response.status_code == 201, response.text
    run: dict[str, Any] = response.json()
    return run


def test_an_imported_run_is_running_from_its_first_word(client: TestClient) -> None:
    run = _create(client, name="ppo", config={"lr": 0.1}, seed=3, total_steps=100, tags=["peer"], env="Ant-v5")
    assert (run["state"], run["kind"], run["is_job"], run["name"]) == ("running", "import", False, "ppo")
    assert (run["experiment"]["name"], run["config"], run["seed"], run["tags"]) == ("peers", {"lr": 0.1}, 3, ["peer"])
    assert (run["env"], run["started_at"]) == ("Ant-v5", "2023-11-14T22:13:20.000+00:00")


def test_a_run_without_a_name_is_called_after_what_is_known(client: TestClient) -> None:
    assert [_create(client, **said)["name"] for said in ({}, {"env": "Ant-v5"}, {"preset": "p"})] == [
        "import",
        "Ant-v5",
        "p",
    ]


def test_imports_that_differ_in_the_seed_alone_are_a_group(client: TestClient) -> None:
    same = {"name": "ppo", "config": {"lr": 0.1}}
    first, second = _create(client, seed=0, **same), _create(client, seed=1, **same)
    other = _create(client, seed=0, name="ppo", config={"lr": 0.2})
    assert first["seed_group"] == second["seed_group"] != other["seed_group"]


def test_imports_of_which_nobody_knows_how_they_differ_are_no_group(client: TestClient) -> None:
    assert _create(client)["seed_group"] != _create(client)["seed_group"]
    here, there = _create(client, seed=0), _create(client, seed=1, experiment="elsewhere")
    assert here["seed_group"] != there["seed_group"]


def test_numbers_that_are_not_finite_are_kept_in_a_config_as_words(client: TestClient) -> None:
    body = b'{"experiment": "peers", "config": {"clip": Infinity, "x": [NaN]}}'
    run = client.post(f"{API}/runs", content=body, headers={"Content-Type": "application/json"}).json()
    assert run["config"] == {"clip": "Infinity", "x": ["NaN"]}
    assert client.get(f"{API}/runs/{run['id']}").json()["config"] == run["config"]


def test_progress_is_reported(client: TestClient, clock: SetClock) -> None:
    run_id = _create(client, total_steps=100)["id"]
    said = {"env_steps": 25, "train_steps": 5, "steps_per_s": 5.0}
    run = client.post(f"{API}/runs/{run_id}/progress", json=said).json()
    assert (run["env_steps"], run["train_steps"], run["progress"], run["eta_s"]) == (25, 5, 0.25, 15.0)
    assert client.post(f"{API}/runs/{run_id}/progress", json={"env_steps": 50}).json()["steps_per_s"] == 5.0


def test_a_run_is_finished_once_and_saying_it_again_is_harmless(client: TestClient, clock: SetClock) -> None:
    run_id = _create(client)["id"]
    clock.advance(10)
    first = client.post(f"{API}/runs/{run_id}/finish", json={"state": "succeeded"}).json()
    assert (first["state"], first["ended_at"]) == ("succeeded", "2023-11-14T22:13:30.000+00:00")
    clock.advance(10)
    assert client.post(f"{API}/runs/{run_id}/finish", json={"state": "succeeded"}).json() == first
    late = client.post(f"{API}/runs/{run_id}/finish", json={"state": "failed"})
    assert (late.status_code, late.json()["error"]["message"]) == (409, f"Run {run_id} has succeeded already.")


def test_a_failure_keeps_its_error_and_leaves_an_event(client: TestClient) -> None:
    run_id = _create(client)["id"]
    error = "Traceback\nValueError: no"
    assert client.post(f"{API}/runs/{run_id}/finish", json={"state": "failed", "error": error}).json()["error"] == error
    [event] = client.get(f"{API}/runs/{run_id}/events").json()["items"]
    assert (event["origin"], event["kind"], event["message"]) == ("server", "failed", "Traceback")


def test_a_run_that_is_over_has_no_progress(client: TestClient) -> None:
    run_id = _create(client)["id"]
    client.post(f"{API}/runs/{run_id}/finish", json={"state": "failed", "error": "\n"})
    assert client.post(f"{API}/runs/{run_id}/progress", json={"env_steps": 1}).status_code == 409


@pytest.mark.parametrize(("path", "body"), [("finish", {"state": "failed"}), ("progress", {"env_steps": 1})])
def test_a_job_is_reported_on_by_its_worker_alone(
    client: TestClient, database: Database, path: str, body: dict[str, Any]
) -> None:
    with database.writing() as session:
        run_id = a_running_job(session).id
    error = client.post(f"{API}/runs/{run_id}/{path}", json=body).json()["error"]
    assert error["message"] == f"Run {run_id} is a job: its worker says how far it is and how it ends."


@pytest.mark.parametrize(
    "said",
    [
        {"config": {"a": "x\x00"}},
        {"config": {"a": 2**60}},
        {"config": {"a" * 5: "x" * 300_000}},
        {"config": []},
        {"seed": -1},
        {"seed": 2**53 + 1},
        {"total_steps": 1.5},
        {"state": "failed"},
        {"experiment": ""},
    ],
)
def test_what_cannot_be_kept_is_refused(client: TestClient, said: dict[str, Any]) -> None:
    assert client.post(f"{API}/runs", json={"experiment": "peers", **said}).status_code == 422
