"""`GET /compare`: what the page shows, for programs."""

from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from server.house import House
from server.tables import RunState
from tests.server.factories import a_run
from tests.server.gates.scored import KEY, a_scored_run
from tests.server.metrics.sending import send
from tests.server.pages.judging import a_baseline, a_group

GOOD, LESS = [470.0, 480.0, 490.0, 500.0], [230.0, 240.0, 250.0, 260.0]
A, B = "a" * 12, "b" * 12


def compare(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/compare", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_side_has_its_numbers_and_how_they_stand_to_the_baseline(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    runs = a_group(house, LESS, B)
    found = compare(client, groups=B, baseline="cartpole@1", metrics=KEY, points=0)
    assert found["baseline"] == {"name": "cartpole", "version": 1, "seeds": 4, "flags": []}
    assert (found["window"], found["threshold_pct"]) == ("env steps 3000..5500", 0.15)
    assert found["metrics"] == [{"key": KEY, "direction": "higher", "baseline": 480.0}]
    [side] = found["sides"]
    assert (side["kind"], side["id"], side["runs"], side["is_running"]) == ("group", B, runs, False)
    assert side["values"][KEY] == {
        "median": 240.0,
        "low": 230.0,
        "high": 260.0,
        "relative": -0.5,
        "word": "worse",
        "now_share": None,
        "now_step": None,
        "why": "",
    }
    assert found["bands"] == []


def test_bands_stand_at_the_steps_of_all_sides(client: TestClient, house: House) -> None:
    """The baseline and the group go to step 5,000, the run to 2,000: after that it has nothing."""
    a_baseline(client, a_group(house, GOOD, A))
    a_group(house, LESS, B)
    with house.database.writing() as session:
        run = a_scored_run(session, [10.0, 20.0], seed=7).id
    [band] = compare(client, groups=B, runs=run, baseline="cartpole", metrics=KEY)["bands"]
    assert (band["key"], band["steps"]) == (KEY, [1000, 2000, 3000, 4000, 5000])
    assert band["baseline"]["middle"] == [120, 240, 480, 480, 480]
    group, single = band["sides"]
    assert (group["low"][-1], group["middle"][-1], group["high"][-1]) == (230, 240, 260)
    assert single == {part: [10, 20, None, None, None] for part in ("low", "middle", "high")}


def test_bands_are_thinned_and_keep_their_ends(client: TestClient, house: House) -> None:
    a_group(house, LESS, B)
    [band] = compare(client, groups=B, metrics=KEY, points=3)["bands"]
    assert band["steps"] == [1000, 3000, 5000]


def test_a_side_without_the_metric_has_no_band(client: TestClient, house: House) -> None:
    a_group(house, LESS, B)
    [band] = compare(client, groups=B, metrics="nothing")["bands"]
    assert band == {"key": "nothing", "steps": [], "baseline": None, "sides": [None]}


def test_whether_family_and_testbed_are_the_same_is_said_or_not_known(client: TestClient, house: House) -> None:
    here, there = ({"runtime": {"cpu": cpu, "threads": 2}} for cpu in ("Xeon", "EPYC"))
    a_baseline(client, a_group(house, GOOD, A, preset="cartpole", manifest=here))
    a_group(house, LESS, B, family="d" * 12, preset="pendulum", manifest=here)
    a_group(house, LESS, "c" * 12, preset="cartpole", manifest=there)
    a_group(house, LESS, "d" * 12, family=None)
    asked = {"groups": f"{B},{'c' * 12},{'d' * 12}", "baseline": "cartpole", "metrics": KEY}
    other, elsewhere, unknown = compare(client, **asked)["sides"]
    assert other["family"]["same"] is False
    assert "preset cartpole / pendulum" in other["family"]["differs"]
    assert other["values"][KEY]["word"] == "unknown"
    assert other["values"][KEY]["why"] == other["family"]["differs"]
    assert other["testbed"] == {"same": True, "differs": ""}
    assert elsewhere["family"] == {"same": True, "differs": ""}
    assert elsewhere["testbed"] == {"same": False, "differs": "cpu Xeon / EPYC"}
    assert elsewhere["values"][KEY]["word"] == "worse"
    assert unknown["family"] == unknown["testbed"] == {"same": None, "differs": ""}


def test_a_running_side_says_its_share_of_the_baseline_where_it_is(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    with house.database.writing() as session:
        run = a_scored_run(session, [60.0, 180.0], seed=0, state=RunState.RUNNING, ended_at=None).id
    value = compare(client, runs=run, baseline="cartpole", metrics=KEY)["sides"][0]["values"][KEY]
    assert (value["now_share"], value["now_step"], value["median"]) == (0.5, 2000, None)
    assert value["why"] == "not in the window yet"


def test_a_falling_loss_like_the_baselines_is_all_of_it_at_every_step(client: TestClient, house: House) -> None:
    loss = "Loss/world_model_loss"
    a_baseline(client, a_group(house, GOOD, A), keys=[loss])
    with house.database.writing() as session:
        run = a_scored_run(session, [60.0, 180.0], seed=0, state=RunState.RUNNING, ended_at=None).id
    value = compare(client, runs=run, baseline="cartpole", metrics=loss)["sides"][0]["values"][loss]
    assert (value["now_share"], value["now_step"]) == (1.0, 2000)


def test_a_number_that_is_not_finite_is_no_number_and_says_so(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    with house.database.writing() as session:
        run = a_scored_run(session, [60.0, 180.0, float("nan"), 400.0], seed=0).id
    value = compare(client, runs=run, baseline="cartpole", metrics=KEY)["sides"][0]["values"][KEY]
    assert (value["median"], value["word"], value["why"]) == (None, "unknown", "NaN or infinite in the window")


def test_a_ratio_too_large_for_a_number_is_a_word(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, [1e-300] * 4, A))
    a_group(house, [1e300] * 4, B)
    value = compare(client, groups=B, baseline="cartpole", metrics=KEY)["sides"][0]["values"][KEY]
    assert (value["median"], value["relative"], value["word"]) == (1e300, "Infinity", "better")


def test_a_baseline_of_the_family_is_taken_unless_none_is_wanted(client: TestClient, house: House) -> None:
    a_baseline(client, a_group(house, GOOD, A))
    a_group(house, LESS, B)
    assert compare(client, groups=B)["baseline"]["name"] == "cartpole"
    without = compare(client, groups=B, baseline="")
    assert (without["baseline"], without["threshold_pct"], without["window"]) == (None, None, "the last 25 records")


def test_without_metrics_the_usual_ones_come_else_those_that_there_are(client: TestClient, house: House) -> None:
    a_group(house, LESS, B)
    assert [one["key"] for one in compare(client, groups=B)["metrics"]] == [KEY, "Loss/world_model_loss"]
    with house.database.writing() as session:
        run = a_run(session).id
        send(session, run, 0, [{"env_steps": 1, "train_steps": 1, "wall_time_s": 1, "mine": 2.0, "also": 3.0}])
    assert [one["key"] for one in compare(client, runs=run)["metrics"]] == ["also", "mine"]


def test_only_what_is_compared_is_read(client: TestClient, house: House) -> None:
    """Of 100 metrics one is asked for: no chunk of the others leaves the database."""
    with house.database.writing() as session:
        run = a_run(session).id
        record = {f"m{i}": 1.5 for i in range(100)}
        send(session, run, 0, [{"env_steps": step, **record} for step in range(5000)])
    read: list[int] = []

    @event.listens_for(house.database.engine, "after_cursor_execute")
    def _count(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if "FROM metric_chunk" in statement:
            read.append(len(parameters))

    value = compare(client, runs=run, metrics="m7", points=0)["sides"][0]["values"]["m7"]
    event.remove(house.database.engine, "after_cursor_execute", _count)
    assert value["median"] == 1.5
    assert len(read) == 1
    assert read[0] == 5  # the run, the range, and two keys: that one and the steps


def test_what_has_not_changed_is_not_sent_again(client: TestClient, house: House) -> None:
    a_group(house, LESS, B)
    first = client.get(f"/api/v1/compare?groups={B}")
    again = client.get(f"/api/v1/compare?groups={B}", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("runs=nothing", 404),
        (f"groups={A}", 404),
        ("runs=a,b,c,d,e,f,g,h,i", 422),
        (f"runs=a&metrics={','.join('abcdefghijklm')}", 422),
        ("runs=a&baseline=a%20b", 422),
        ("runs=a&points=501", 422),
    ],
)
def test_what_cannot_be_compared_is_refused(client: TestClient, query: str, status: int) -> None:
    answer = client.get(f"/api/v1/compare?{query}")
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
