"""Baselines: the list, a baseline's page, retiring and restoring."""

from starlette.testclient import TestClient

from server.house import House
from tests.server.gates.scored import GROUP, KEY, some_evaluations
from tests.server.pages.faces import BROWSER, PROGRAM, get_part, open_page
from tests.server.pages.judging import a_baseline, a_gate, a_group, a_verdict

GOOD, BETTER = [470.0, 480.0, 490.0, 500.0], [495.0, 496.0, 497.0, 498.0]
ORIGIN = {"Origin": "http://testserver", **BROWSER}


def test_without_a_baseline_the_list_says_how_one_is_made(client: TestClient) -> None:
    page = open_page(client, "/baselines")
    assert "No baseline yet" in page
    assert "bless it" in page
    assert "baseline bless NAME --runs" in page


def test_the_list_shows_what_a_baseline_is_made_of_and_its_last_verdicts(client: TestClient, house: House) -> None:
    runs = a_group(house, GOOD, "a" * 12)
    a_baseline(client, runs, who="ada", why="first that holds 475")
    a_gate(client)
    verdict = a_verdict(client, runs, baseline="cartpole")
    page = open_page(client, "/baselines")
    for text in ("cartpole", "n=4", "ada", "first that holds 475", f"/gate-results/{verdict['id']}"):
        assert text in page, text


def test_retired_names_stand_behind_a_switch(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, "a" * 12))
    client.post("/api/v1/baselines/cartpole/1/retire", json={"why": "old replay"})
    assert "/baselines/cartpole/1" not in get_part(client, "/baselines")
    assert "old replay" in get_part(client, "/baselines?retired=true")


def test_a_program_gets_what_the_api_answers(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, "a" * 12))
    assert client.get("/baselines", headers=PROGRAM).json() == client.get("/api/v1/baselines").json()
    address = "/baselines/cartpole/1"
    assert client.get(address, headers=PROGRAM).json() == client.get(f"/api/v1{address}").json()


def test_a_name_alone_leads_to_the_newest_version_in_use(client: TestClient, house: House) -> None:
    runs = a_group(house, GOOD, "a" * 12)
    a_baseline(client, runs)
    a_baseline(client, runs, why="again")
    assert client.get("/baselines/cartpole", headers=BROWSER).url.path == "/baselines/cartpole/2"
    client.post("/api/v1/baselines/cartpole/2/retire", json={"why": "a mistake"})
    assert client.get("/baselines/cartpole", headers=BROWSER).url.path == "/baselines/cartpole/1"


def test_a_baseline_shows_every_seed_of_a_metric_in_words_too(client: TestClient, house: House) -> None:
    runs = a_group(house, GOOD, "a" * 12, commit="1a2b3c4d5e6f")
    a_baseline(client, runs)
    page = open_page(client, "/baselines/cartpole/1")
    assert "seed 0: 470, seed 1: 480, seed 2: 490, seed 3: 500" in page
    for text in (*runs, "1a2b3c4d5e6f", "export?format=seed", "/baselines/cartpole/1/curve?key=eval%2Fmean_return"):
        assert text in page, text


def test_the_band_of_a_metric_is_its_lowest_middle_and_highest_seed(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, "a" * 12))
    found = client.get("/baselines/cartpole/1/curve", params={"key": KEY}).json()
    assert found["band"]["low"][-1] == 470
    assert found["band"]["high"][-1] == 500
    assert len(found["curves"]) == 4
    assert client.get("/baselines/cartpole/1/curve", params={"key": "nothing"}).status_code == 404


def test_evaluations_of_different_steps_are_a_level_and_not_the_first_of_them(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        runs = some_evaluations(session, [480.0, 500.0, 470.0, 490.0])
    a_baseline(client, runs, window={})
    found = client.get("/baselines/cartpole/1/curve", params={"key": KEY}).json()["band"]
    assert found["steps"] == [2000, 5000]
    assert (found["low"], found["middle"], found["high"]) == ([470, 470], [480, 480], [500, 500])
    asked = {"groups": GROUP, "baseline": "cartpole", "metrics": KEY}
    [bands] = client.get("/api/v1/compare", params=asked).json()["bands"]
    assert bands["baseline"] == bands["sides"][0] == {"low": [470, 470], "middle": [480, 480], "high": [500, 500]}


def test_two_versions_are_compared_in_words_not_colours(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, "a" * 12))
    a_baseline(client, a_group(house, BETTER, "b" * 12), why="a better actor")
    page = open_page(client, "/baselines/cartpole/2?before=1")
    assert "From cartpole v1 to cartpole v2" in page
    assert 'data-change="better"' in page
    assert " better</span>" in page
    assert "a better actor" in page


def test_retiring_needs_a_reason(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, "a" * 12))
    refused = client.post("/baselines/cartpole/1/retire", data={"why": " "}, headers=ORIGIN)
    assert refused.status_code == 422
    assert "Say why" in refused.text


def test_a_baseline_is_retired_and_taken_back(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, "a" * 12))
    page = client.post("/baselines/cartpole/1/retire", data={"why": "old replay"}, headers=ORIGIN)
    assert "Retired" in page.text
    assert "old replay" in page.text
    page = client.post("/baselines/cartpole/1/restore", data={}, headers=ORIGIN)
    assert "old replay" not in page.text


def test_a_baseline_that_there_is_not_is_not_found(client: TestClient) -> None:
    for path in ("/baselines/nothing", "/baselines/nothing/1"):
        assert client.get(path, headers=BROWSER).status_code == 404
