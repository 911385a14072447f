"""What the worker of a run says beyond its numbers: its manifest, and what a checkpoint had not seen."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from tests.server.factories import LEASE, a_run, a_running_job

API = "/api/v1"
HOLDER = {"X-Dreamgate-Lease": LEASE}


@pytest.fixture
def run_id(database: Database) -> str:
    with database.writing() as session:
        return a_running_job(session).id


def test_a_manifest_is_kept_as_it_was_written(client: TestClient, run_id: str) -> None:
    assert client.get(f"{API}/runs/{run_id}/manifest").json() is None
    manifest = {"code": {"commit": "abc"}, "packages": {"torch": "2.6"}, "finite": "NaN"}
    assert client.put(f"{API}/runs/{run_id}/manifest", json=manifest, headers=HOLDER).status_code == 204
    assert client.get(f"{API}/runs/{run_id}/manifest").json() == manifest


@pytest.mark.parametrize(
    ("source", "commit"),
    [
        ({"commit": "1a2b3c4d", "dirty": True}, "1a2b3c4d"),
        ({"commit": 7}, None),
        ({"commit": "x" * 41}, None),
        ([], None),
    ],
)
def test_the_commit_that_ran_is_the_one_that_the_manifest_says(
    client: TestClient, run_id: str, source: object, commit: str | None
) -> None:
    client.put(f"{API}/runs/{run_id}/manifest", json={"source": source}, headers=HOLDER).raise_for_status()
    assert client.get(f"{API}/runs/{run_id}").json()["source_commit"] == commit


def test_only_the_worker_writes_the_manifest(client: TestClient, run_id: str) -> None:
    for headers in ({}, {"X-Dreamgate-Lease": "guessed"}):
        response = client.put(f"{API}/runs/{run_id}/manifest", json={}, headers=headers)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "lease_lost")


def test_a_manifest_of_a_run_without_a_job_needs_no_lease(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
    assert client.put(f"{API}/runs/{run_id}/manifest", json={"a": 1}).status_code == 204


@pytest.mark.parametrize("manifest", [[], "x", {"a": "x" * (2**21)}, {"a": {"b": "\x00"}}])
def test_what_is_no_manifest_is_refused(client: TestClient, run_id: str, manifest: Any) -> None:
    assert client.put(f"{API}/runs/{run_id}/manifest", json=manifest, headers=HOLDER).status_code == 422


def test_a_rewind_takes_back_what_comes_after(client: TestClient, run_id: str) -> None:
    records = [{"env_steps": step, "a": float(step)} for step in range(5)]
    client.post(f"{API}/runs/{run_id}/metrics", json={"offset": 0, "records": records}, headers=HOLDER)
    events = {"offset": 0, "events": [{"kind": "note"}] * 4}
    client.post(f"{API}/runs/{run_id}/events", json=events, headers=HOLDER)
    back = client.post(f"{API}/runs/{run_id}/rewind", json={"records": 3, "events": 1}, headers=HOLDER)
    assert back.json() == {"records": 3, "events": 1}
    kept = client.get(f"{API}/runs/{run_id}/records").json()
    assert (kept["total"], kept["records"][-1]) == (3, {"env_steps": 2, "a": 2.0})


def test_a_rewind_to_more_than_there_is_does_nothing(client: TestClient, run_id: str) -> None:
    back = client.post(f"{API}/runs/{run_id}/rewind", json={"records": 10, "events": 10}, headers=HOLDER)
    assert back.json() == {"records": 0, "events": 0}


def test_only_the_worker_rewinds(client: TestClient, run_id: str) -> None:
    response = client.post(f"{API}/runs/{run_id}/rewind", json={"records": 0, "events": 0})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "lease_lost")
