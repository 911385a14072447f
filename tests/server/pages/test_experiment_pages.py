"""Experiments, and the log of one as a page."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.tables import RunState
from tests.server.factories import NOW, a_job, a_run, an_experiment
from tests.server.gates.scored import KEY, a_scored_run, a_seed_group
from tests.server.pages.faces import BROWSER, PROGRAM, open_page


def _id(database: Database, name: str = "default") -> str:
    with database.writing() as session:
        return an_experiment(session, name).id


def test_experiments_are_listed_with_their_question(client: TestClient) -> None:
    said = {"name": "horizon", "question": "Does a shorter dream learn faster?"}
    made = client.post("/api/v1/experiments", json=said).json()
    page = open_page(client, "/experiments")
    assert f'<a href="/experiments/{made["id"]}">horizon</a>' in page
    assert said["question"] in page
    assert "horizon" in open_page(client, "/experiments?q=shorter")
    assert "No experiment has" in open_page(client, "/experiments?q=longer")


def test_a_house_without_experiments_says_how_one_begins(client: TestClient) -> None:
    assert "There is no experiment yet" in open_page(client, "/experiments")


def test_a_long_list_goes_on(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for number in range(51):
            an_experiment(session, f"e{number}")
    page = open_page(client, "/experiments")
    assert page.count('<td class="name">') == 50
    cursor = page.split("/experiments?q=&amp;cursor=")[1].split('"')[0]
    assert open_page(client, f"/experiments?cursor={cursor}").count('<td class="name">') == 1


def test_the_log_shows_what_was_expected_and_what_came_of_it(client: TestClient, database: Database) -> None:
    said: dict[str, Any] = {"hypothesis": "10 → faster", "primary_metric": KEY, "stop_rule": "5,000 steps"}
    with database.writing() as session:
        runs = a_seed_group(session, [100.0, 200.0, 400.0, 500.0], name="horizon 10", **said)
    page = open_page(client, f"/experiments/{_id(database)}")
    for text in ("horizon 10", "10 → faster", "5,000 steps", KEY, "interquartile mean", "100 … 500", "n=4"):
        assert text in page, text
    assert f'data-patch="/api/v1/runs/{runs[0]}"' in page
    assert "/log?format=markdown" in page


def test_a_program_gets_the_log(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        a_run(session)
    experiment_id = _id(database)
    found = client.get(f"/experiments/{experiment_id}", headers=PROGRAM).json()
    assert found == client.get(f"/api/v1/experiments/{experiment_id}/log").json()


def test_an_empty_experiment_says_how_to_fill_it(client: TestClient, database: Database) -> None:
    assert "There is no run in it yet" in open_page(client, f"/experiments/{_id(database)}")


def test_an_experiment_that_there_is_not_is_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/experiments/zzzzzzzzzzzz", headers=BROWSER)
    assert (answer.status_code, "There is no experiment" in answer.text) == (404, True)


def test_seeds_that_conclude_differently_are_both_shown(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        a_run(session, seed=0, conclusion="better")
        a_run(session, seed=1, conclusion="worse", created_at=NOW + 1)
    page = open_page(client, f"/experiments/{_id(database)}")
    assert ">better</dd>" in page
    assert ">worse</dd>" in page
    assert "of all seeds" in page


def test_what_waits_can_still_be_written(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_job(session)
    assert f'href="/runs/{run.id}#about"' in open_page(client, f"/experiments/{_id(database)}")


def test_everything_that_people_wrote_is_only_text(client: TestClient, database: Database) -> None:
    evil = '"><script>alert(1)</script>'
    said: dict[str, Any] = dict.fromkeys(
        ("name", "hypothesis", "stop_rule", "conclusion", "notes", "primary_metric"), evil
    )
    with database.writing() as session:
        an_experiment(session, evil).question = evil
        source = a_run(session, config={"lr": 1}, experiment="other")
        run = a_scored_run(
            session, [1.0], experiment=evil, config={evil: evil}, parent_id=source.id, error=evil, **said
        )
    client.post(f"/api/v1/runs/{run.id}/annotations", json={"text": evil})
    client.post("/api/v1/gates/compare/evaluate", json={"runs": [run.id]})
    assert "<script>alert" not in open_page(client, f"/experiments/{_id(database, evil)}")
    assert "<script>alert" not in open_page(client, "/experiments")


def test_a_run_that_has_begun_shows_its_hypothesis_and_does_not_offer_it(
    client: TestClient, database: Database
) -> None:
    said: dict[str, Any] = {"hypothesis": "10 → faster", "primary_metric": "m", "stop_rule": "8,000 steps"}
    with database.writing() as session:
        waits, runs = a_job(session, **said), a_job(session, state=RunState.RUNNING, **said)
    page = open_page(client, f"/runs/{runs.id}")
    assert "10 → faster</dd>" in page
    assert 'name="hypothesis"' not in page
    assert 'name="stop_rule"' in open_page(client, f"/runs/{waits.id}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/experiments?cursor=nonsense", 422),
        ("/experiments?q=%00", 422),
        (f"/experiments?q={'x' * 201}", 422),
        ("/experiments?q=%25_%5C%F0%9F%90%B4", 200),
        ("/experiments/%00", 404),
        ("/experiments/..%2Fruns", 404),
    ],
)
def test_an_address_that_makes_no_sense_is_told_so(client: TestClient, path: str, status: int) -> None:
    assert client.get(path, headers=BROWSER).status_code == status
