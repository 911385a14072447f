"""The routes of metrics as programs meet them: what they take, what they answer, and what they refuse."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.metrics.parse import MAX_BYTES
from tests.server.factories import LEASE, a_run, a_running_job

RECORDS: list[dict[str, Any]] = [
    {"env_steps": 10, "train_steps": 1, "wall_time_s": 0.25, "loss": 0.5},
    {"env_steps": 20, "loss": "NaN", "eval/return": 7.0},
    {"env_steps": 30, "train_steps": 3, "wall_time_s": 0.75, "loss": "-Infinity"},
    {"env_steps": 40, "loss": 0.25},
]


@pytest.fixture
def run_id(database: Database) -> str:
    with database.writing() as session:
        return a_run(session).id


@pytest.fixture
def full(client: TestClient, run_id: str) -> str:
    """A run with the four records."""
    assert send(client, run_id).json() == {"records": 4}
    return run_id


def send(client: TestClient, run_id: str, offset: int = 0, records: Any = RECORDS, lease: str | None = None) -> Any:
    body = {"offset": offset, "records": records}
    headers = {"X-Dreamgate-Lease": lease} if lease else {}
    return client.post(f"/api/v1/runs/{run_id}/metrics", json=body, headers=headers)


def curves(client: TestClient, runs: str, keys: str, **asked: Any) -> Any:
    return client.get("/api/v1/curves", params={"runs": runs, "keys": keys, **asked})


def test_records_come_back_as_they_were_sent(client: TestClient, full: str) -> None:
    answer = client.get(f"/api/v1/runs/{full}/records").json()
    assert answer == {"from": 0, "records": RECORDS, "total": 4}


def test_records_come_in_parts(client: TestClient, full: str) -> None:
    answer = client.get(f"/api/v1/runs/{full}/records", params={"from": 1, "limit": 2}).json()
    assert answer == {"from": 1, "records": RECORDS[1:3], "total": 4}


def test_records_of_some_keys_are_still_all_records(client: TestClient, full: str) -> None:
    answer = client.get(f"/api/v1/runs/{full}/records", params={"keys": "eval/return,none"}).json()
    assert [record.get("eval/return") for record in answer["records"]] == [None, 7.0, None, None]
    assert all("loss" not in record for record in answer["records"])


def test_a_run_without_records_has_an_empty_list(client: TestClient, run_id: str) -> None:
    assert client.get(f"/api/v1/runs/{run_id}/records").json() == {"from": 0, "records": [], "total": 0}
    assert client.get(f"/api/v1/runs/{run_id}/keys").json() == {"items": []}


def test_columns_are_taken_as_well(client: TestClient, run_id: str) -> None:
    body = {"offset": 0, "columns": {"env_steps": [10, 20], "loss": [None, True]}}
    assert client.post(f"/api/v1/runs/{run_id}/metrics", json=body).json() == {"records": 2}
    assert client.get(f"/api/v1/runs/{run_id}/records").json()["records"] == [
        {"env_steps": 10},
        {"env_steps": 20, "loss": 1.0},
    ]


def test_keys_are_listed_with_their_summaries(client: TestClient, full: str) -> None:
    evaluation, loss = client.get(f"/api/v1/runs/{full}/keys").json()["items"]
    assert evaluation == {
        "key": "eval/return",
        "points": 1,
        "last": 7.0,
        "last_step": 20,
        "min": 7.0,
        "max": 7.0,
        "non_finite": 0,
        "first_non_finite": None,
    }
    assert (loss["min"], loss["max"], loss["non_finite"], loss["first_non_finite"]) == (0.25, 0.5, 2, 20)


def test_a_gap_says_where_to_go_on(client: TestClient, full: str) -> None:
    answer = send(client, full, offset=9)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "gap"
    assert answer.json()["error"]["expected"] == 4


def test_a_wrong_value_is_named(client: TestClient, run_id: str) -> None:
    answer = send(client, run_id, records=[{"env_steps": 1}, {"env_steps": 2, "loss": "low"}])
    assert answer.status_code == 422
    assert answer.json()["error"]["where"] == "records.1.loss"
    assert client.get(f"/api/v1/runs/{run_id}/records").json()["total"] == 0


def test_a_body_that_is_too_large_is_refused(client: TestClient, run_id: str) -> None:
    body = b'{"offset": 0, "records": []' + b" " * MAX_BYTES + b"}"
    answer = client.post(f"/api/v1/runs/{run_id}/metrics", content=body)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["records", "keys", "export"])
@pytest.mark.parametrize("run_id", ["unknown", "x" * 300, "%00", "a%20b"])
def test_a_run_that_is_not_there_is_not_found(client: TestClient, run_id: str, path: str) -> None:
    assert client.get(f"/api/v1/runs/{run_id}/{path}").status_code == 404
    assert send(client, run_id).status_code == 404


def test_a_running_job_takes_metrics_from_its_worker_alone(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_running_job(session).id
    assert send(client, run_id).json()["error"]["code"] == "lease_lost"
    assert send(client, run_id, lease=LEASE).json() == {"records": 4}


def test_whoever_waits_for_news_is_woken_up(client: TestClient, run_id: str) -> None:
    rung: list[str] = []
    client.app.state.house.bell.ring = rung.append  # type: ignore[attr-defined]
    send(client, run_id)
    assert rung == [run_id]


def test_a_curve_of_few_points_shows_each(client: TestClient, full: str) -> None:
    answer = curves(client, full, "loss,none").json()
    assert answer["missing"] == [{"run": full, "key": "none"}]
    assert answer["curves"] == [
        {
            "run": full,
            "key": "loss",
            "points": 4,
            "x": [10, 20, 30, 40],
            "last": [0.5, "NaN", "-Infinity", 0.25],
            "min": [0.5, None, None, 0.25],
            "max": [0.5, None, None, 0.25],
            "count": [1, 1, 1, 1],
            "non_finite": [0, 1, 1, 0],
        }
    ]


def test_curves_can_be_asked_for_in_a_body(client: TestClient, full: str) -> None:
    body = {"runs": [full], "keys": ["loss"], "points": 10, "from_step": 15, "to_step": 35}
    answer = client.post("/api/v1/curves", json=body).json()
    assert answer["curves"][0]["x"] == [20, 30]


def test_curves_over_time_leave_out_points_without_a_time(client: TestClient, full: str) -> None:
    answer = curves(client, full, "loss", x="wall_time_s").json()
    assert answer["x"] == "wall_time_s"
    assert answer["curves"][0]["x"] == [0.25, 0.75]


def test_a_run_that_is_not_there_has_no_curves(client: TestClient, full: str) -> None:
    answer = curves(client, f"unknown,{full},%00", "loss").json()
    assert [missing["run"] for missing in answer["missing"]] == ["unknown", "%00"]
    assert len(answer["curves"]) == 1


def test_a_curve_is_not_sent_again_until_it_changes(client: TestClient, full: str) -> None:
    tag = curves(client, full, "loss").headers["ETag"]
    asked = {"params": {"runs": full, "keys": "loss"}, "headers": {"If-None-Match": tag}}
    assert client.get("/api/v1/curves", **asked).status_code == 304  # type: ignore[arg-type]
    send(client, full, offset=4, records=[{"env_steps": 50, "loss": 1.0}])
    assert client.get("/api/v1/curves", **asked).status_code == 200  # type: ignore[arg-type]


def test_another_question_has_another_tag(client: TestClient, full: str) -> None:
    tags = {curves(client, full, "loss", **asked).headers["ETag"] for asked in ({}, {"points": 10}, {"to_step": 30})}
    assert len(tags) == 3


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"points": 9}, id="too-few-points"),
        pytest.param({"points": 5001}, id="too-many-points"),
        pytest.param({"from_step": "nan"}, id="from-nowhere"),
        pytest.param({"x": "loss"}, id="another-axis"),
        pytest.param({"runs": ",".join(f"r{number}" for number in range(101))}, id="too-many-runs"),
        pytest.param({"keys": ",".join(f"k{number}" for number in range(51))}, id="too-many-keys"),
        pytest.param(
            {
                "runs": ",".join(f"r{n}" for n in range(100)),
                "keys": ",".join(f"k{n}" for n in range(50)),
                "points": 1000,
            },
            id="too-many-buckets",
        ),
    ],
)
def test_curves_beyond_the_limits_are_refused(client: TestClient, full: str, asked: dict[str, Any]) -> None:
    assert curves(client, **{"runs": full, "keys": "loss", **asked}).status_code == 422


def test_numbers_that_are_very_large_or_small_are_still_numbers(client: TestClient, run_id: str) -> None:
    values = [1e300, -1e-300, 123456789.0, 0.1 + 0.2, 5e-324]
    send(client, run_id, records=[{"env_steps": 2**53, "loss": value} for value in values])
    curve = json.loads(curves(client, run_id, "loss").text)["curves"][0]
    assert curve["last"] == pytest.approx(values, rel=1e-6)
    assert curve["x"] == [2**53] * 5


def test_the_documentation_shows_what_to_send(client: TestClient) -> None:
    operation = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/runs/{run_id}/metrics"]["post"]
    assert {*operation["requestBody"]["content"]["application/json"]["examples"]} == {"records", "columns"}
