"""Gates over the API: kept by version, and judged on stored runs, seed groups and posted numbers."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from tests.server.gates.scored import FAMILY, GROUP, KEY, a_seed_group
from tests.server.jobs.asking import get, post, refused

API = "/api/v1"
FLOOR = {"check": "floor", "key": KEY, "value": 400, "window": {"last": 3}}


@pytest.fixture
def ids(database: Database) -> list[str]:
    with database.writing() as session:
        return a_seed_group(session, [480, 490, 500, 470])


def apply(client: TestClient, name: str = "floor", **said: Any) -> Any:
    return client.put(f"{API}/gates/{name}", json={"checks": [FLOOR], **said})


def evaluate(client: TestClient, name: str = "floor", **said: Any) -> dict[str, Any]:
    return post(client, f"/gates/{name}/evaluate", said, status=201)


def test_a_gate_is_kept_and_found(client: TestClient) -> None:
    assert apply(client, source="gates/floor.yaml").json()["version"] == 1
    found = get(client, "/gates/floor")
    assert (found["checks"], found["source"]) == ([FLOOR], "gates/floor.yaml")
    assert [gate["name"] for gate in get(client, "/gates")["items"]] == ["floor"]


def test_the_same_version_may_come_again_and_another_may_not(client: TestClient) -> None:
    assert [apply(client).status_code, apply(client).status_code] == [200, 200]
    answer = apply(client, checks=[{**FLOOR, "value": 300}])
    assert refused(answer)[0] == 409
    assert answer.json()["error"]["todo"] == "Give it version 2."
    assert apply(client, version=2, checks=[{**FLOOR, "value": 300}]).status_code == 200
    assert get(client, "/gates/floor")["version"] == 2
    assert get(client, "/gates/floor", version=1)["checks"] == [FLOOR]


def test_a_setting_that_is_unknown_is_refused_with_its_place(client: TestClient) -> None:
    answer = apply(client, checks=[{"check": "floor", "key": KEY, "valeu": 4}])
    assert answer.status_code == 422
    assert "checks[0]" in answer.json()["error"]["where"]


def test_stored_runs_are_judged_and_the_verdict_is_kept(client: TestClient, ids: list[str]) -> None:
    apply(client)
    made = evaluate(client, seed_group=GROUP)
    assert (made["verdict"], made["green"], made["family"]) == ("pass", True, FAMILY)
    assert sorted(made["runs"]) == sorted(ids)
    assert made["checks"] == [FLOOR]
    assert get(client, f"/gate-results/{made['id']}") == made
    assert [one["id"] for one in get(client, "/gate-results", run=ids[0])["items"]] == [made["id"]]


def test_what_was_said_stays_when_the_gate_changes(client: TestClient, ids: list[str]) -> None:
    apply(client)
    made = evaluate(client, runs=ids)
    apply(client, version=2, checks=[{**FLOOR, "value": 600}])
    assert evaluate(client, runs=ids)["verdict"] == "fail"
    assert get(client, f"/gate-results/{made['id']}") == made
    assert evaluate(client, runs=ids, version=1)["verdict"] == "pass"


def test_the_built_in_gate_compares_with_a_baseline(client: TestClient, database: Database, ids: list[str]) -> None:
    post(client, "/baselines", {"name": "cartpole", "runs": ids, "keys": [KEY]}, status=201)
    with database.writing() as session:
        worse = a_seed_group(session, [300, 310, 290, 305], seed_group="worse")
    assert evaluate(client, "compare", runs=ids, baseline="cartpole")["verdict"] == "pass"
    made = evaluate(client, "compare", seed_group="worse", baseline="cartpole@1")
    assert (made["verdict"], made["baseline"]["name"], sorted(made["runs"])) == ("fail", "cartpole", sorted(worse))
    assert "480" in made["results"][0]["reason"]


def test_another_family_is_no_data_and_the_reason_says_so(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        ours = a_seed_group(session, [480, 490, 500, 470])
        a_seed_group(session, [480, 490, 500, 470], seed_group="other", family="another0fam1")
    post(client, "/baselines", {"name": "cartpole", "runs": ours, "keys": [KEY]}, status=201)
    made = evaluate(client, "compare", seed_group="other", baseline="cartpole")
    assert made["verdict"] == "no_data"


def test_posted_numbers_are_judged_too(client: TestClient) -> None:
    apply(client)
    numbers = [{"name": "mine", "seed": 0, "records": [{"env_steps": i, KEY: 450} for i in range(5)]}]
    made = evaluate(client, numbers=numbers, commit="1a2b3c4")
    assert (made["verdict"], made["commit"], made["runs"]) == ("pass", "1a2b3c4", [])
    numbers[0]["records"][4][KEY] = "NaN"  # type: ignore[index]
    assert evaluate(client, numbers=numbers)["verdict"] == "fail"


@pytest.mark.parametrize(
    "said",
    [{}, {"runs": ["abc"], "numbers": [{"name": "a", "records": []}]}, {"runs": [], "seed_group": None}],
)
def test_it_must_be_said_what_to_judge(client: TestClient, said: dict[str, Any]) -> None:
    apply(client)
    assert client.post(f"{API}/gates/floor/evaluate", json=said).status_code == 422


def test_unknown_gates_baselines_and_runs_are_not_found(client: TestClient, ids: list[str]) -> None:
    apply(client)
    for name, said in (
        ("nobody", {"runs": ids}),
        ("floor", {"runs": ["nobody"]}),
        ("floor", {"runs": ids, "version": 7}),
        ("floor", {"runs": ids, "baseline": "nobody"}),
    ):
        assert client.post(f"{API}/gates/{name}/evaluate", json=said).status_code == 404, name


def test_results_are_listed_in_pages_and_by_verdict(client: TestClient, ids: list[str]) -> None:
    apply(client)
    made = [evaluate(client, runs=[run])["id"] for run in ids[:3]]
    first = get(client, "/gate-results", gate="floor", limit=2)
    rest = get(client, "/gate-results", gate="floor", limit=2, cursor=first["next"])
    assert sorted(one["id"] for one in [*first["items"], *rest["items"]]) == sorted(made)
    assert get(client, "/gate-results", verdict="fail")["items"] == []
