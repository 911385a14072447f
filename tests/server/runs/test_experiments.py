"""Experiments: named folders of runs."""

import pytest
from starlette.testclient import TestClient

from tests.server.fakes import SetClock

API = "/api/v1"


def _create(client: TestClient, name: str, **more: str) -> str:
    response = client.post(f"{API}/experiments", json={"name": name, **more})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def _run_in(client: TestClient, experiment: str) -> str:
    return str(client.post(f"{API}/runs", json={"experiment": experiment}).json()["id"])


def test_an_experiment_has_a_name_and_a_question(client: TestClient) -> None:
    found = client.get(f"{API}/experiments/{_create(client, 'horizon', question='Is short enough?')}").json()
    assert (found["name"], found["question"], found["runs"]) == ("horizon", "Is short enough?", 0)
    assert (found["created_at"], found["deleted_at"]) == ("2023-11-14T22:13:20.000+00:00", None)


def test_a_name_is_taken_once(client: TestClient) -> None:
    _create(client, "horizon")
    response = client.post(f"{API}/experiments", json={"name": "horizon"})
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "There is an experiment 'horizon' already."


def test_an_experiment_is_renamed_and_its_runs_show_the_new_name(client: TestClient) -> None:
    experiment = _create(client, "horizon")
    run_id = _run_in(client, "horizon")
    before = client.get(f"{API}/runs/{run_id}")
    assert client.patch(f"{API}/experiments/{experiment}", json={"name": "far"}).json()["name"] == "far"
    after = client.get(f"{API}/runs/{run_id}", headers={"If-None-Match": before.headers["ETag"]})
    assert after.json()["experiment"] == {"id": experiment, "name": "far"}


def test_an_experiment_cannot_take_the_name_of_another(client: TestClient) -> None:
    _create(client, "one")
    other = _create(client, "two")
    assert client.patch(f"{API}/experiments/{other}", json={"name": "one"}).status_code == 409
    assert client.patch(f"{API}/experiments/{other}", json={"name": "two"}).status_code == 200


def test_the_newest_come_first_page_by_page(client: TestClient, clock: SetClock) -> None:
    for number in range(5):
        _create(client, f"e{number}")
        clock.advance(1)
    pages = []
    where: dict[str, str] = {"limit": "2"}
    while where.get("cursor") != "":
        page = client.get(f"{API}/experiments", params=where).json()
        pages.append([found["name"] for found in page["items"]])
        where["cursor"] = page["next"] or ""
    assert pages == [["e4", "e3"], ["e2", "e1"], ["e0"]]


@pytest.mark.parametrize(("q", "names"), [("HOR", ["horizon"]), ("short", ["horizon"]), ("100%", []), ("", None)])
def test_they_are_found_by_a_part_of_their_words(client: TestClient, q: str, names: list[str] | None) -> None:
    _create(client, "horizon", question="Is short enough?")
    _create(client, "100 runs")
    found = [found["name"] for found in client.get(f"{API}/experiments", params={"q": q}).json()["items"]]
    assert found == names if names is not None else len(found) == 2


def test_deleting_takes_the_runs_along_and_restoring_brings_them_back(client: TestClient) -> None:
    experiment = _create(client, "horizon")
    gone, kept = _run_in(client, "horizon"), _run_in(client, "horizon")
    for run_id in (gone, kept):
        client.post(f"{API}/runs/{run_id}/finish", json={"state": "succeeded"})
    client.delete(f"{API}/runs/{gone}")
    deleted = client.delete(f"{API}/experiments/{experiment}").json()
    assert (deleted["runs"], deleted["deleted_at"]) == (0, "2023-11-14T22:13:20.000+00:00")
    assert client.get(f"{API}/runs").json()["items"] == []
    assert client.get(f"{API}/experiments").json()["items"] == []
    assert len(client.get(f"{API}/experiments", params={"deleted": True}).json()["items"]) == 1


def test_what_was_deleted_before_the_experiment_stays_deleted(client: TestClient, clock: SetClock) -> None:
    experiment = _create(client, "horizon")
    gone, kept = _run_in(client, "horizon"), _run_in(client, "horizon")
    for run_id in (gone, kept):
        client.post(f"{API}/runs/{run_id}/finish", json={"state": "succeeded"})
    client.delete(f"{API}/runs/{gone}")
    clock.advance(1)
    client.delete(f"{API}/experiments/{experiment}")
    client.post(f"{API}/experiments/{experiment}/restore")
    assert [run["id"] for run in client.get(f"{API}/runs").json()["items"]] == [kept]


def test_an_experiment_with_a_run_under_way_is_not_deleted(client: TestClient) -> None:
    experiment = _create(client, "horizon")
    _run_in(client, "horizon")
    error = client.delete(f"{API}/experiments/{experiment}").json()["error"]
    assert error["message"] == "Experiment 'horizon' has runs that are not over: 1."


def test_nothing_is_put_into_a_deleted_experiment(client: TestClient) -> None:
    client.delete(f"{API}/experiments/{_create(client, 'horizon')}")
    response = client.post(f"{API}/runs", json={"experiment": "horizon"})
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "Experiment 'horizon' is deleted."


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\nb", "a\x00b", None, 5])
def test_a_name_that_nobody_could_read_is_refused(client: TestClient, name: object) -> None:
    assert client.post(f"{API}/experiments", json={"name": name}).status_code == 422


@pytest.mark.parametrize("experiment", ["nobody", "a%00b", "x" * 300])
def test_one_that_is_not_there_is_not_found(client: TestClient, experiment: str) -> None:
    assert client.get(f"{API}/experiments/{experiment}").status_code == 404
    assert client.patch(f"{API}/experiments/{experiment}", json={}).status_code == 404
