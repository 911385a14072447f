"""Stopping early: only what cannot become green any more, and the reason says why."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.house import House
from server.suites.advance import Suites
from tests.server.gates.scored import KEY, a_seed_group
from tests.server.jobs.asking import get, post
from tests.server.suites.running import CHECK, SCENARIO, apply, end, look, start

FOUR = {**SCENARIO, "seeds": [0, 1, 2, 3]}
SEEDS = {"name": "seeds", "checks": [{"check": "seeds_bootstrap", "keys": [KEY], "margin_pct": 0.1}]}
AGAINST = {**FOUR, "gates": [{"gate": "seeds", "baseline": "cartpole"}]}


@pytest.fixture
def baseline(client: TestClient, house: House) -> None:
    with house.database.writing() as session:
        runs = a_seed_group(session, [480, 490, 500, 470], env="CartPole-v1", family=None)
    window = {"env_steps_min": 5000}
    post(client, "/baselines", {"name": "cartpole", "runs": runs, "keys": [KEY], "window": window}, status=201)


def look_again(house: House) -> None:
    house.clock.advance(31)  # type: ignore[attr-defined]
    Suites(house).advance()


def states(found: dict[str, Any]) -> list[str]:
    return sorted(step["state"] for step in found["scenarios"][0]["runs"])


def test_one_seed_that_failed_for_every_run_stops_the_others(client: TestClient, house: House) -> None:
    apply(client, scenarios=[FOUR], stop_early="harm")
    run = start(client)
    end(house, run, [100])
    look_again(house)
    found = look(client, run)
    assert states(found) == ["cancelled", "cancelled", "cancelled", "succeeded"]
    assert "100, must be at least 400" in found["scenarios"][0]["stopped"]
    Suites(house).advance()
    found = look(client, run)
    assert (found["state"], found["verdict"]) == ("finished", "fail")
    [result] = found["scenarios"][0]["results"]
    assert "stopped early" in get(client, f"/gate-results/{result['id']}")["results"][-1]["reason"]


def test_nothing_is_stopped_while_it_can_still_be_green(client: TestClient, house: House) -> None:
    apply(client, scenarios=[FOUR], stop_early="both")
    run = start(client)
    end(house, run, [500])
    look_again(house)
    assert states(look(client, run)) == ["queued", "queued", "queued", "succeeded"]


def test_nothing_is_stopped_unless_the_suite_asks(client: TestClient, house: House) -> None:
    apply(client, scenarios=[FOUR])
    run = start(client)
    end(house, run, [100])
    look_again(house)
    assert states(look(client, run)) == ["queued", "queued", "queued", "succeeded"]


def test_a_median_over_runs_may_recover_from_one_bad_seed(client: TestClient, house: House) -> None:
    middle = {"name": "floor", "checks": [{**CHECK, "across": "median"}]}
    apply(client, gates=[middle], scenarios=[FOUR], stop_early="both")
    run = start(client)
    end(house, run, [100])
    look_again(house)
    assert states(look(client, run)) == ["queued", "queued", "queued", "succeeded"]


@pytest.mark.usefixtures("baseline")
def test_seeds_that_cannot_catch_up_any_more_are_not_run(client: TestClient, house: House) -> None:
    apply(client, gates=[SEEDS], scenarios=[AGAINST], stop_early="futility")
    run = start(client)
    end(house, run, [500, 10])  # of four, with the two to come as good as any: still far below, and not decided
    look_again(house)
    found = look(client, run)
    assert states(found) == ["cancelled", "cancelled", "succeeded", "succeeded"]
    assert "even with the best seeds to come" in found["scenarios"][0]["stopped"]
    Suites(house).advance()
    assert (look(client, run)["state"], look(client, run)["verdict"]) == ("finished", "inconclusive")


@pytest.mark.usefixtures("baseline")
def test_seeds_that_could_still_catch_up_are_run(client: TestClient, house: House) -> None:
    apply(client, gates=[SEEDS], scenarios=[AGAINST], stop_early="futility")
    run = start(client)
    end(house, run, [495, 485])
    look_again(house)
    assert states(look(client, run)) == ["queued", "queued", "succeeded", "succeeded"]
