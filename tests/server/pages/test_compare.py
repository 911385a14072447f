"""Runs and seed groups beside a baseline."""

import pytest
from starlette.testclient import TestClient

from server.house import House
from server.tables import RunState
from tests.server.factories import a_run
from tests.server.gates.scored import FAMILY, KEY, a_scored_run
from tests.server.metrics.sending import send
from tests.server.pages.faces import BROWSER, open_page
from tests.server.pages.judging import a_baseline, a_group

GOOD, LESS = [470.0, 480.0, 490.0, 500.0], [230.0, 240.0, 250.0, 260.0]
A, B = "a" * 12, "b" * 12


def test_without_anything_to_compare_the_page_says_how(client: TestClient) -> None:
    assert "Nothing to compare yet" in open_page(client, "/compare")


def test_a_group_is_worse_in_a_word_and_a_number(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    a_group(house, LESS, B)
    page = open_page(client, f"/compare?groups={B}&baseline=cartpole&metrics={KEY}")
    for text in ("<strong>480</strong>", "<strong>240</strong>", "230 … 260", "-50.0 % worse", "n=4"):
        assert text in page, text


def test_a_seed_that_is_ahead_may_have_nothing_where_the_slowest_is(client: TestClient, house: House) -> None:
    """One has had its first evaluation at step 1,000, the other at 1,001."""
    a_baseline(client, a_group(house, GOOD, A))
    with house.database.writing() as session:
        a_scored_run(session, [60.0], seed=0, state=RunState.RUNNING, ended_at=None, seed_group=B)
        late = a_run(session, state=RunState.RUNNING, seed=1, seed_group=B, family=FAMILY)
        send(session, late.id, 0, [{"env_steps": 1001, KEY: 90.0}])
    page = open_page(client, f"/compare?groups={B}&baseline=cartpole&metrics={KEY}")
    assert "50 % of the baseline at step 1,000" in page


def test_two_runs_of_one_seed_are_not_two_seeds(client: TestClient, house: House) -> None:
    a_group(house, LESS, B)
    a_group(house, LESS[:2], B)
    assert "n=4 in 6 runs" in open_page(client, f"/compare?groups={B}&baseline=&metrics={KEY}")
    [side] = client.get("/api/v1/compare", params={"groups": B, "points": 0}).json()["sides"]
    assert (side["seeds"], len(side["runs"])) == (4, 6)


def test_a_small_difference_is_close_and_a_lower_loss_is_better(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A), keys=[KEY, "Loss/world_model_loss"])
    a_group(house, [450.0, 460.0, 470.0, 480.0], B)
    page = open_page(client, f"/compare?groups={B}&baseline=cartpole")
    assert "-4.2 % close" in page


def test_a_baseline_of_the_family_is_taken_where_none_is_said(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    a_baseline(client, a_group(house, GOOD, "c" * 12, family="e" * 12), name="other")
    a_group(house, LESS, B)
    assert "cartpole v1" in open_page(client, f"/compare?groups={B}")
    assert "cartpole v1" not in open_page(client, f"/compare?groups={B}&baseline=")


def test_another_family_is_not_comparable_and_says_which_field_differs(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A, env="CartPole-v1"))
    a_group(house, LESS, B, family="d" * 12, env="Acrobot-v1")
    page = open_page(client, f"/compare?groups={B}&baseline=cartpole")
    assert "not comparable" in page
    assert "worse" not in page


def test_a_running_job_is_held_against_the_baseline_at_its_own_step(client: TestClient, house: House) -> None:
    """At steps 1,000 and 2,000 the middle of the baseline's seeds had 120 and 240: the lower share of both counts."""
    a_baseline(client, a_group(house, GOOD, A))
    with house.database.writing() as session:
        run = a_scored_run(session, [60.0, 180.0], seed=0, state=RunState.RUNNING, ended_at=None).id
    page = open_page(client, f"/compare?runs={run}&baseline=cartpole&metrics={KEY}")
    assert "75 % of the baseline at step 2,000" not in page  # five records decide, not the last one
    assert "50 % of the baseline at step 2,000" in page
    assert "not in the window yet" in page


def test_each_side_can_be_taken_away(client: TestClient, house: House) -> None:
    runs = a_group(house, GOOD, A)
    page = open_page(client, f"/compare?runs={runs[0]},{runs[1]}&metrics={KEY}")
    assert f'href="/compare?runs={runs[1]}&amp;metrics=eval%2Fmean_return"' in page


def test_bands_of_all_sides_come_in_the_order_of_the_page(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    a_group(house, LESS, B)
    with house.database.writing() as session:
        run = a_scored_run(session, [10.0, 20.0], seed=7).id
    asked = {"groups": B, "runs": run, "baseline": "cartpole", "key": KEY}
    found = client.get("/compare/bands", params=asked).json()
    assert found["baseline"]["high"][-1] == 500
    assert [side["middle"][-1] for side in found["sides"]] == [240, 20]
    assert client.get("/compare/bands", params={**asked, "key": "nothing"}).json()["sides"] == [None, None]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("runs=nothing", 404),
        (f"groups={A}", 404),
        ("runs=a,b,c,d,e,f,g,h,i", 422),
        ("baseline=nothing", 404),
    ],
)
def test_what_cannot_be_compared_is_a_page_that_says_so(client: TestClient, query: str, status: int) -> None:
    answer = client.get(f"/compare?{query}", headers=BROWSER)
    assert answer.status_code == status
    assert "<h1>" in answer.text
