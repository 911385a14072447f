"""Blessing by a form: what it would be, the consent that it takes, and what is wrong in its place."""

from typing import Any

from starlette.testclient import TestClient

from server.house import House
from server.tables import RunState
from tests.server.gates.scored import KEY
from tests.server.pages.faces import BROWSER, HTMX, check_html, open_page
from tests.server.pages.judging import a_baseline, a_group

GOOD, GROUP = [470.0, 480.0, 490.0, 500.0], "a" * 12


def send(client: TestClient, **fields: str) -> Any:
    return client.post("/bless", data=fields, headers=BROWSER, follow_redirects=False)


def test_the_form_shows_what_would_be_blessed(client: TestClient, house: House) -> None:
    a_group(house, GOOD, GROUP)
    page = open_page(client, f"/bless?seed_group={GROUP}")
    assert "n=4" in page
    assert KEY in page
    assert "It carries no flags." in page


def test_a_seed_group_is_blessed(client: TestClient, house: House) -> None:
    a_group(house, GOOD, GROUP)
    answer = send(client, seed_group=GROUP, name="cartpole", who="ada", why="first", threshold_pct="15")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/baselines/cartpole/1"


def test_a_single_failed_run_asks_for_two_consents(client: TestClient, house: House) -> None:
    [run] = a_group(house, [470.0], GROUP, state=RunState.FAILED)
    page = open_page(client, f"/bless?run={run}")
    assert 'name="allow_failed"' in page
    assert 'name="allow_single_seed"' in page
    refused = send(client, runs=run, name="one", threshold_pct="15", allow_failed="on")
    assert refused.status_code == 422
    assert "single_seed" in refused.text
    assert 'name="allow_failed" checked' in refused.text
    blessed = send(client, runs=run, name="one", threshold_pct="15", allow_failed="on", allow_single_seed="on")
    assert blessed.status_code == 303


def test_a_name_that_exists_is_suggested_and_wants_a_reason(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, GROUP))
    page = open_page(client, f"/bless?seed_group={GROUP}")
    assert '<option value="cartpole">' in page
    refused = send(client, seed_group=GROUP, name="cartpole", threshold_pct="15")
    assert refused.status_code == 422
    assert 'id="why-problem"' in refused.text
    assert "can only be replaced with a reason" in refused.text
    assert send(client, seed_group=GROUP, name="cartpole", why="again", threshold_pct="15").status_code == 303


def test_another_family_is_refused_at_the_name(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, GROUP))
    a_group(house, GOOD, "b" * 12, family="c" * 12)
    refused = send(client, seed_group="b" * 12, name="cartpole", why="again", threshold_pct="15")
    assert refused.status_code == 422
    assert "give it a name of its own" in refused.text


def test_what_is_wrong_with_a_field_stands_under_it(client: TestClient, house: House) -> None:
    a_group(house, GOOD, GROUP)
    for fields, words in (
        ({"name": "no spaces please"}, "Must be at most 80 letters, digits"),
        ({"name": "x", "threshold_pct": "much"}, "A percentage is needed"),
        ({"name": "x", "last": "two"}, "A whole number is needed"),
        ({"name": "x", "env_steps_min": "9000000"}, "no record is in the window"),
    ):
        refused = send(client, **{"seed_group": GROUP, "threshold_pct": "15", **fields})
        assert refused.status_code == 422
        check_html(refused.text)
        assert words in refused.text, words


def test_the_preview_follows_what_is_typed_and_stores_nothing(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, GROUP))
    answer = client.post("/bless/check", data={"seed_group": GROUP, "name": "cartpole"}, headers=HTMX)
    check_html(answer.text)
    assert "cartpole v2, after v1 of 4 seeds" in answer.text
    assert "say why this one follows it" in answer.text
    assert len(client.get("/api/v1/baselines/cartpole").json()) == 1


def test_the_check_takes_back_what_was_wrong_with_a_field_that_is_right_now(client: TestClient, house: House) -> None:
    a_group(house, GOOD, GROUP)

    def under(field: str, **typed: str) -> str:
        part = client.post(
            "/bless/check", data={"seed_group": GROUP, "threshold_pct": "15", **typed}, headers=HTMX
        ).text
        return part.split(f'id="{field}-problem"')[1].split(">", 1)[1].split("</p>")[0]

    assert "letters, digits" in under("name", name="no spaces please")
    assert under("name", name="cartpole") == ""
    assert "A percentage" in under("threshold_pct", name="cartpole", threshold_pct="much")


def test_a_form_without_runs_says_so(client: TestClient) -> None:
    assert "Say what to bless" in client.get("/bless", headers=BROWSER).text


def test_nothing_to_bless_is_said_where_there_are_no_numbers(client: TestClient, house: House) -> None:
    [run] = a_group(house, [470.0], GROUP)
    answer = client.post("/bless/check", data={"runs": run, "keys": "nothing/like/it"}, headers=HTMX)
    assert "Nothing to bless yet" in answer.text
