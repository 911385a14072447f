"""Reading one run, editing what people wrote about it, deleting and restoring it."""

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.house import House
from server.runs.out import eta_s, progress
from server.runs.rows import hold_run, touch
from server.tables import Run, RunKind, RunState
from tests.server.factories import NOW, a_job, a_run
from tests.server.fakes import SetClock

API = "/api/v1"


@pytest.fixture
def run_id(database: Database) -> str:
    with database.writing() as session:
        return a_run(session, state=RunState.SUCCEEDED, config={"lr": 0.1}, name="first").id


def test_a_run_is_shown_whole(client: TestClient, run_id: str) -> None:
    run = client.get(f"{API}/runs/{run_id}").json()
    assert (run["id"], run["name"], run["kind"], run["state"]) == (run_id, "first", "import", "succeeded")
    assert run["experiment"]["name"] == "default"
    assert (run["config"], run["tags"], run["metrics"], run["is_job"]) == ({"lr": 0.1}, [], {}, False)
    assert run["created_at"] == "2023-11-14T22:13:20.000+00:00"


def test_a_poller_that_has_it_already_gets_nothing(client: TestClient, run_id: str) -> None:
    first = client.get(f"{API}/runs/{run_id}")
    assert first.headers["ETag"] == '"1"'
    second = client.get(f"{API}/runs/{run_id}", headers={"If-None-Match": '"1"'})
    assert (second.status_code, second.content, second.headers["ETag"]) == (304, b"", '"1"')


def test_a_poller_sees_every_change(client: TestClient, run_id: str, clock: SetClock) -> None:
    clock.advance(5)
    changed = client.patch(f"{API}/runs/{run_id}", json={"notes": "good"})
    assert (changed.headers["ETag"], changed.json()["updated_at"]) == ('"2"', "2023-11-14T22:13:25.000+00:00")
    assert client.get(f"{API}/runs/{run_id}", headers={"If-None-Match": '"1"'}).json()["notes"] == "good"


def test_a_list_that_has_not_changed_is_not_sent_again(client: TestClient, run_id: str) -> None:
    first = client.get(f"{API}/runs")
    same = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{API}/runs", headers=same).status_code == 304
    client.patch(f"{API}/runs/{run_id}", json={"notes": "good"})
    assert client.get(f"{API}/runs", headers=same).status_code == 200


def test_an_edit_of_what_has_changed_since_is_refused(client: TestClient, run_id: str) -> None:
    client.patch(f"{API}/runs/{run_id}", json={"notes": "mine"}, headers={"If-Match": '"1"'})
    late = client.patch(f"{API}/runs/{run_id}", json={"notes": "yours"}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["error"]["code"]) == (412, "stale")
    assert client.get(f"{API}/runs/{run_id}").json()["notes"] == "mine"


def test_everything_that_people_write_can_be_changed(client: TestClient, run_id: str) -> None:
    said = {
        "name": "second",
        "notes": "n",
        "tags": ["b", "a", "b"],
        "conclusion": "c",
    }
    run = client.patch(f"{API}/runs/{run_id}", json=said).json()
    assert {key: run[key] for key in said} == {**said, "tags": ["a", "b"]}


def test_what_is_not_said_stays_and_null_clears_the_primary_metric(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_job(session, name="first").id
    client.patch(f"{API}/runs/{run_id}", json={"tags": ["a"], "notes": "n", "primary_metric": "m"})
    run = client.patch(f"{API}/runs/{run_id}", json={"name": None, "primary_metric": None}).json()
    assert (run["name"], run["notes"], run["tags"], run["primary_metric"]) == ("first", "n", ["a"], None)
    assert client.patch(f"{API}/runs/{run_id}", json={"tags": []}).json()["tags"] == []


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": "a\x00"},
        {"tags": ["x" * 61]},
        {"tags": [" "]},
        {"tags": ["a"] * 51},
        {"notes": "x" * 20_001},
        {"state": "queued"},
        {"notes": "a\x00"},
        [],
    ],
)
def test_what_cannot_be_kept_is_refused(client: TestClient, run_id: str, said: object) -> None:
    assert client.patch(f"{API}/runs/{run_id}", json=said).status_code == 422


def test_a_deleted_run_is_out_of_the_lists_and_can_be_restored(client: TestClient, run_id: str) -> None:
    assert client.delete(f"{API}/runs/{run_id}").json()["deleted_at"] == "2023-11-14T22:13:20.000+00:00"
    assert client.get(f"{API}/runs").json()["items"] == []
    assert [run["id"] for run in client.get(f"{API}/runs?deleted=true").json()["items"]] == [run_id]
    assert client.get(f"{API}/runs/{run_id}").status_code == 200
    assert client.post(f"{API}/runs/{run_id}/restore").json()["deleted_at"] is None
    assert [run["id"] for run in client.get(f"{API}/runs").json()["items"]] == [run_id]


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.STOPPING])
def test_a_run_that_is_not_over_is_not_deleted(client: TestClient, database: Database, state: RunState) -> None:
    with database.writing() as session:
        run_id = a_job(session, state=state).id
    response = client.delete(f"{API}/runs/{run_id}")
    assert (response.status_code, response.json()["error"]["todo"]) == (409, "Cancel or finish it first.")


@pytest.mark.parametrize("run_id", ["nobody", "a%00b", "x" * 300, "%F0%9F%A6%84"])
@pytest.mark.parametrize(("method", "rest"), [("get", ""), ("patch", ""), ("delete", ""), ("post", "/restore")])
def test_a_run_that_is_not_there_is_not_found(client: TestClient, run_id: str, method: str, rest: str) -> None:
    body: dict[str, str] | None = {} if method == "patch" else None
    assert client.request(method, f"{API}/runs/{run_id}{rest}", json=body).status_code == 404


def test_a_touch_moves_the_version_and_the_moment(house: House, run_id: str) -> None:
    with house.database.writing() as session:
        touch(session, hold_run(session, run_id), NOW + 7, env_steps=5)
    with house.database.reading() as session:
        run = session.get_one(Run, run_id)
        assert (run.version, run.updated_at, run.env_steps) == (2, NOW + 7, 5)


@pytest.mark.parametrize(
    ("steps", "total", "rate", "state", "part", "seconds"),
    [
        (2000, 8000, 100.0, RunState.RUNNING, 0.25, 60.0),
        (2000, 8000, 100.0, RunState.FAILED, 0.25, None),
        (2000, 8000, None, RunState.RUNNING, 0.25, None),
        (2000, 8000, 0.0, RunState.RUNNING, 0.25, None),
        (9000, 8000, 100.0, RunState.RUNNING, 1.0, 0.0),
        (2000, None, 100.0, RunState.RUNNING, None, None),
        (2000, None, 100.0, RunState.SUCCEEDED, 1.0, None),
    ],
)
def test_progress_and_time_to_go(
    steps: int, total: int | None, rate: float | None, state: RunState, part: float | None, seconds: float | None
) -> None:
    run = Run(
        id="r",
        experiment_id="e",
        name="n",
        kind=RunKind.TRAIN,
        seed_group="g",
        config={},
        created_at=0,
        updated_at=0,
        state=state,
        env_steps=steps,
        total_steps=total,
        steps_per_s=rate,
    )
    assert (progress(run), eta_s(run)) == (part, seconds)
