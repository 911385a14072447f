"""Which runs a list holds."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.tables import RunKind, RunState, RunTag
from tests.server.factories import a_run

API = "/api/v1"


@pytest.fixture
def runs(database: Database) -> dict[str, str]:
    """Three runs by name, and their ids."""
    with database.writing() as session:
        a = a_run(
            session,
            name="Alpha",
            experiment="one",
            state=RunState.SUCCEEDED,
            kind=RunKind.TRAIN,
            preset="cartpole",
            env="CartPole-v1",
            family="f" * 12,
            notes="it Learned",
        )
        b = a_run(
            session,
            name="beta",
            experiment="two",
            state=RunState.FAILED,
            fingerprint="9" * 12,
            seed_group="1" * 12,
            commit="abcdef1",
            hypothesis="50% faster",
        )
        c = a_run(
            session,
            name="gamma_1",
            experiment="two",
            parent_id=a.id,
            preset="cartpole",
            source_commit="abcdef1" + "0" * 33,
        )
        session.add_all([RunTag(run_id=a.id, tag="good"), RunTag(run_id=a.id, tag="long")])
        session.add_all([RunTag(run_id=b.id, tag="long")])
        return {run.name: run.id for run in (a, b, c)}


def _names(client: TestClient, **params: Any) -> list[str]:
    response = client.get(f"{API}/runs", params={"sort": "name", **params})
    assert response.status_code == 200, response.text
    return sorted(run["name"] for run in response.json()["items"])


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["Alpha", "beta", "gamma_1"]),
        ({"experiment": "two"}, ["beta", "gamma_1"]),
        ({"experiment": "three"}, []),
        ({"state": "failed"}, ["beta"]),
        ({"state": ["failed", "running"]}, ["beta", "gamma_1"]),
        ({"kind": "train"}, ["Alpha"]),
        ({"tag": "long"}, ["Alpha", "beta"]),
        ({"tag": ["long", "good"]}, ["Alpha"]),
        ({"preset": "cartpole", "experiment": "two"}, ["gamma_1"]),
        ({"env": "CartPole-v1"}, ["Alpha"]),
        ({"family": "f" * 12}, ["Alpha"]),
        ({"fingerprint": "9" * 12}, ["beta"]),
        ({"seed_group": "1" * 12}, ["beta"]),
        ({"commit": "abcdef1"}, ["beta", "gamma_1"]),  # was asked for, and ran
        ({"commit": "bcdef1"}, []),
        ({"q": "alp"}, ["Alpha"]),
        ({"q": "learned"}, ["Alpha"]),
        ({"q": "50%"}, ["beta"]),
        ({"q": "a_1"}, ["gamma_1"]),
        ({"q": "LONG"}, ["Alpha", "beta"]),
        ({"q": "_"}, ["gamma_1"]),
        ({"deleted": True}, []),
    ],
)
def test_conditions_choose(client: TestClient, runs: dict[str, str], params: dict[str, Any], names: list[str]) -> None:
    assert _names(client, **params) == names


def test_ids_choose_too(client: TestClient, runs: dict[str, str]) -> None:
    assert _names(client, parent=runs["Alpha"]) == ["gamma_1"]
    assert _names(client, q=runs["beta"][2:9]) == ["beta"]
    experiment = client.get(f"{API}/runs/{runs['Alpha']}").json()["experiment"]["id"]
    assert _names(client, experiment=experiment) == ["Alpha"]


def test_a_list_leaves_the_config_out(client: TestClient, runs: dict[str, str]) -> None:
    assert {str(run["config"]) for run in client.get(f"{API}/runs").json()["items"]} == {"None"}


def test_the_metrics_that_are_asked_for_come_with_the_runs(client: TestClient, runs: dict[str, str]) -> None:
    records = [{"env_steps": 1, "a": 1.0, "b": "NaN"}, {"env_steps": 2, "a": 2.5, "c": 7}]
    body = {"offset": 0, "records": records}
    assert client.post(f"{API}/runs/{runs['Alpha']}/metrics", json=body).status_code == 200
    page = client.get(f"{API}/runs", params={"metrics": "a,b,nothing", "q": "alpha"}).json()
    assert page["items"][0]["metrics"] == {"a": 2.5, "b": "NaN"}


@pytest.mark.parametrize(
    "params",
    [
        {"state": "lost"},
        {"kind": "dance"},
        {"limit": 0},
        {"limit": 201},
        {"sort": "colour"},
        {"cursor": "made-up"},
        {"colour": "red"},
        {"q": "a\x00"},
        {"q": "x" * 201},
        {"sort": "metric"},
    ],
)
def test_what_makes_no_sense_is_refused(client: TestClient, params: dict[str, Any]) -> None:
    assert client.get(f"{API}/runs", params=params).status_code == 422
