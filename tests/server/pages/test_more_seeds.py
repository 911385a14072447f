"""More seeds of a run, by a button."""

from typing import Any

from starlette.testclient import TestClient

from server.house import House
from server.tables import GateResultRun
from tests.server.gates.scored import KEY, a_scored_run
from tests.server.jobs.asking import submit, submit_all
from tests.server.pages.faces import BROWSER, open_page
from tests.server.pages.judging import a_baseline, a_gate, a_group, a_verdict


def press(client: TestClient, run: str, n: str) -> Any:
    return client.post(f"/runs/{run}/more-seeds", data={"n": n}, headers=BROWSER)


def seeds(client: TestClient) -> list[int]:
    return sorted(run["seed"] for run in client.get("/api/v1/runs").json()["items"])


def test_the_form_says_which_seeds_would_run(client: TestClient) -> None:
    run = submit(client, seeds=[1])
    assert "seeds that its group does not have: 0, 2, 3, 4 …" in open_page(client, f"/runs/{run}")


def test_the_next_seeds_that_nobody_has_are_drawn(client: TestClient) -> None:
    jobs = submit_all(client, seeds=[0, 1, 4])
    page = press(client, jobs[0]["run_id"], "3")
    assert page.status_code == 200
    assert "seed_group" in str(page.url)
    assert seeds(client) == [0, 1, 2, 3, 4, 5]


def test_they_belong_to_the_same_seed_group(client: TestClient) -> None:
    run = submit(client, seeds=[0])
    press(client, run, "2")
    groups = {run["seed_group"] for run in client.get("/api/v1/runs").json()["items"]}
    assert len(groups) == 1


def test_how_many_must_be_a_number_that_makes_sense(client: TestClient) -> None:
    run = submit(client)
    for n in ("", "0", "1000", "many"):
        assert press(client, run, n).status_code == 422, n
    assert len(seeds(client)) == 1


def test_an_imported_run_cannot_be_run_again(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        run = a_scored_run(session, [1.0, 2.0]).id
    assert press(client, run, "1").status_code == 409
    assert "more-seeds" not in open_page(client, f"/runs/{run}")


def test_the_button_offers_what_the_newest_verdict_wants(client: TestClient, house: House) -> None:
    """Three seeds that spread far: the number is the advice's, less the three that are there."""
    jobs = [job["run_id"] for job in submit_all(client, seeds=[0, 1, 2])]
    assert 'name="n" min="1" max="100" value="4"' in open_page(client, f"/runs/{jobs[0]}")
    few = a_group(house, [440.0, 470.0, 500.0], "b" * 12)
    a_baseline(client, a_group(house, [470.0, 480.0, 490.0, 500.0], "a" * 12))
    a_gate(client, checks=[{"check": "seeds_bootstrap", "keys": [KEY]}])
    result = a_verdict(client, few, baseline="cartpole")
    [advised] = [one["reason"] for one in result["results"] if one["kind"] == "seeds_bootstrap"]
    needed = int(advised.removeprefix(f"{KEY}: ").split(" ")[0])
    assert f'value="{needed - 3}"' in _page_of_a_job_with(client, house, result["id"], jobs[0])


def _page_of_a_job_with(client: TestClient, house: House, result: str, run: str) -> str:
    """As if the result had looked at that run."""
    with house.database.writing() as session:
        session.add(GateResultRun(result_id=result, run_id=run))
    return open_page(client, f"/runs/{run}")
