"""What is written before a run begins is fixed then; what is learned later is remarked beside it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.house import House
from server.tables import Job, Run, RunState
from tests.server.factories import a_job, a_run, a_running_job
from tests.server.fakes import SetClock

API = "/api/v1"
WRITTEN = {"hypothesis": "10 → faster", "primary_metric": "eval/mean_return", "stop_rule": "8,000 steps"}


def test_a_run_that_waits_can_be_given_a_hypothesis(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_job(session).id
    run = client.patch(f"{API}/runs/{run_id}", json=WRITTEN).json()
    assert {key: run[key] for key in WRITTEN} == WRITTEN
    assert run["hypothesis_fixed"] is False


@pytest.mark.parametrize(("name", "value"), [*WRITTEN.items(), ("primary_metric", None), ("hypothesis", "")])
@pytest.mark.parametrize("state", [state for state in RunState if state != RunState.QUEUED])
def test_nothing_of_it_changes_once_the_run_has_begun(
    client: TestClient, database: Database, state: RunState, name: str, value: str | None
) -> None:
    said: dict[str, Any] = {"hypothesis": "h", "primary_metric": "m", "stop_rule": "s"}
    with database.writing() as session:
        run_id = a_job(session, state=state, **said).id
    answer = client.patch(f"{API}/runs/{run_id}", json={name: value, "notes": "n"})
    assert (answer.status_code, answer.json()["error"]["where"]) == (409, name)
    assert answer.json()["error"]["message"] == f"Run {run_id} has begun: its {name.replace('_', ' ')} is fixed."
    run = client.get(f"{API}/runs/{run_id}").json()
    assert ({key: run[key] for key in said}, run["notes"], run["hypothesis_fixed"]) == (said, "", True)


def test_to_say_the_same_again_is_no_change(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session, **WRITTEN).id
    answer = client.patch(f"{API}/runs/{run_id}", json={**WRITTEN, "conclusion": "so it is"})
    assert (answer.status_code, answer.json()["conclusion"]) == (200, "so it is")


def test_a_run_that_is_queued_again_was_seen_before(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_job(session)
        session.get_one(Job, run.id).attempts = 1
    assert client.patch(f"{API}/runs/{run.id}", json={"hypothesis": "I knew it"}).status_code == 409


def _group(database: Database, **last: Any) -> list[Run]:
    with database.writing() as session:
        return [a_job(session, seed=0), a_job(session, seed=1), a_job(session, seed=2, **last)]


def test_a_seed_group_shares_what_is_written_when_asked(client: TestClient, database: Database) -> None:
    runs = _group(database)
    with database.writing() as session:
        others = [a_job(session, experiment="other").id, a_job(session, seed_group="1" * 12).id]
    assert client.patch(f"{API}/runs/{runs[0].id}", json={**WRITTEN, "group": True}).is_success
    for run in runs:
        assert client.get(f"{API}/runs/{run.id}").json()["stop_rule"] == "8,000 steps"
    for run_id in others:
        assert client.get(f"{API}/runs/{run_id}").json()["stop_rule"] == ""


def test_not_asked_it_is_one_run_that_changes(client: TestClient, database: Database) -> None:
    runs = _group(database)
    client.patch(f"{API}/runs/{runs[0].id}", json=WRITTEN)
    assert client.get(f"{API}/runs/{runs[1].id}").json()["hypothesis"] == ""


def test_where_one_seed_has_begun_none_of_the_group_changes(client: TestClient, database: Database) -> None:
    runs = _group(database, state=RunState.RUNNING)
    answer = client.patch(f"{API}/runs/{runs[0].id}", json={"hypothesis": "h", "group": True})
    assert answer.status_code == 409
    assert runs[2].id in answer.json()["error"]["message"]
    assert [client.get(f"{API}/runs/{run.id}").json()["hypothesis"] for run in runs] == ["", "", ""]


def test_a_conclusion_of_a_group_is_everybodys(client: TestClient, database: Database) -> None:
    runs = _group(database, state=RunState.SUCCEEDED)
    assert client.patch(f"{API}/runs/{runs[2].id}", json={"conclusion": "no", "group": True}).is_success
    assert [client.get(f"{API}/runs/{run.id}").json()["conclusion"] for run in runs] == ["no"] * 3


def test_it_is_given_when_a_job_is_submitted_and_cloned(client: TestClient) -> None:
    said = {"kind": "train", "words": ["preset=cartpole"], "seeds": [0, 1], **WRITTEN}
    jobs = client.post(f"{API}/jobs", json=said).json()["items"]
    assert [{key: job["run"][key] for key in WRITTEN} for job in jobs] == [WRITTEN, WRITTEN]
    clone = client.post(f"{API}/runs/{jobs[0]['run_id']}/clone", json={"stop_rule": "4,000 steps"}).json()["items"][0]
    assert (clone["run"]["hypothesis"], clone["run"]["stop_rule"]) == ("10 → faster", "4,000 steps")


def test_an_import_says_it_with_its_first_word(client: TestClient) -> None:
    run = client.post(f"{API}/runs", json={"experiment": "peers", **WRITTEN}).json()
    assert ({key: run[key] for key in WRITTEN}, run["hypothesis_fixed"]) == (WRITTEN, True)


def test_an_annotation_is_kept_with_its_time_and_step(
    client: TestClient, house: House, database: Database, clock: SetClock
) -> None:
    with database.writing() as session:
        run = a_running_job(session, env_steps=2000)
    clock.advance(60)
    made = client.post(f"{API}/runs/{run.id}/annotations", json={"text": "it shakes"})
    assert made.status_code == 201
    event = made.json()
    assert (event["origin"], event["kind"], event["message"], event["env_steps"]) == (
        "user",
        "annotation",
        "it shakes",
        2000,
    )
    assert event["at"] == "2023-11-14T22:14:20.000+00:00"
    assert client.get(f"{API}/runs/{run.id}/events").json()["items"] == [event]


def test_a_repeated_annotation_is_one(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
    for _ in range(2):
        client.post(f"{API}/runs/{run_id}/annotations", json={"text": "x"}, headers={"Idempotency-Key": "k"})
    assert len(client.get(f"{API}/runs/{run_id}/events").json()["items"]) == 1


@pytest.mark.parametrize("text", ["", "  \n", "a\x00", "x" * 20_001, None, 3])
def test_an_annotation_must_say_something_that_can_be_kept(client: TestClient, database: Database, text: Any) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
    assert client.post(f"{API}/runs/{run_id}/annotations", json={"text": text}).status_code == 422


def test_nobody_annotates_a_run_that_there_is_not(client: TestClient) -> None:
    assert client.post(f"{API}/runs/zzzzzzzzzzzz/annotations", json={"text": "x"}).status_code == 404
