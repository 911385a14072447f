"""Baselines over the API: blessed with consent, versioned with a reason, exported and brought in unchanged."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.database import Database
from server.tables import RunState
from tests.server.gates.scored import FAMILY, GROUP, KEY, a_scored_run, a_seed_group, some_evaluations
from tests.server.jobs.asking import get, post, refused

API = "/api/v1"


@pytest.fixture
def ids(database: Database) -> list[str]:
    with database.writing() as session:
        return a_seed_group(session, [480, 490, 500, 470])


def bless(client: TestClient, name: str = "cartpole", status: int = 201, **said: Any) -> dict[str, Any]:
    return post(client, "/baselines", {"name": name, **({"seed_group": GROUP} | said)}, status=status)


def test_a_seed_group_is_blessed_in_one_call(client: TestClient, ids: list[str]) -> None:
    made = bless(client, who="ada", why="it holds")
    assert (made["name"], made["version"], made["seeds"], made["family"]) == ("cartpole", 1, 4, FAMILY)
    assert (sorted(made["runs"]), made["flags"]) == (sorted(ids), [])
    found = get(client, "/baselines/cartpole/latest")
    # Each run's scores are a quarter, a half, and three times the final one: the median is the final one.
    assert found["metrics"][KEY]["median"] == 480
    assert sorted(run["median"] for run in found["metrics"][KEY]["runs"]) == [470, 480, 490, 500]
    assert (found["env_steps_min"], found["env_steps_max"], found["count"]) == (1000, 5000, 20)


def test_the_window_says_which_records_count(client: TestClient, ids: list[str]) -> None:
    bless(client, window={"env_steps_max": 1000}, keys=[KEY])
    assert get(client, "/baselines/cartpole/1")["metrics"][KEY]["median"] == 480 / 4


def test_a_single_or_failed_run_is_blessed_only_with_consent(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_scored_run(session, [1.0, 2.0, 3.0], state=RunState.FAILED).id
    body = {"name": "one", "runs": [run]}
    status, code, message = refused(client.post(f"{API}/baselines", json=body))
    assert (status, code) == (409, "conflict")
    assert "failed and single_seed: not blessed" in message
    made = post(client, "/baselines", {**body, "allow": ["failed", "single_seed"]}, status=201)
    assert made["flags"] == ["failed", "single_seed"]


def test_a_summary_is_blessed_for_what_it_measured_and_not_for_when(client: TestClient, database: Database) -> None:
    """The step of a best checkpoint and the time it took may be others without anything being worse."""
    with database.writing() as session:
        runs = some_evaluations(session, [480.0, 500.0, 470.0, 490.0])
        later = some_evaluations(session, [480.0, 500.0, 470.0, 490.0], first=9000)
    made = post(client, "/baselines", {"name": "evals", "runs": runs}, status=201)
    found = client.get(f"/api/v1/baselines/{made['name']}/1").json()
    assert list(found["metrics"]) == [KEY]
    verdict = post(client, "/gates/compare/evaluate", {"runs": later, "baseline": "evals"}, status=201)
    assert verdict["verdict"] == "pass"


def test_only_what_needs_consent_can_be_allowed(client: TestClient, ids: list[str]) -> None:
    body = {"name": "a", "runs": ids, "allow": ["non_finite"]}
    assert refused(client.post(f"{API}/baselines", json=body))[0] == 422


def test_a_newer_version_takes_a_reason(client: TestClient, ids: list[str]) -> None:
    bless(client)
    answer = client.post(f"{API}/baselines", json={"name": "cartpole", "runs": ids})
    assert "can only be replaced with a reason" in refused(answer)[2]
    assert bless(client, why="longer")["version"] == 2
    assert [one["version"] for one in client.get(f"{API}/baselines/cartpole").json()] == [2, 1]


def test_another_family_needs_another_name(client: TestClient, database: Database, ids: list[str]) -> None:
    bless(client)
    with database.writing() as session:
        others = a_seed_group(session, [1, 2, 3, 4], family="another0fam1", seed_group="other")
    answer = client.post(f"{API}/baselines", json={"name": "cartpole", "runs": others, "why": "new"})
    assert "give it a name of its own" in refused(answer)[2]


def test_a_retired_version_is_skipped_until_it_is_restored(client: TestClient, ids: list[str]) -> None:
    bless(client)
    bless(client, why="longer")
    post(client, "/baselines/cartpole/2/retire", {"why": "wrong window"})
    assert get(client, "/baselines/cartpole/latest")["version"] == 1
    post(client, "/baselines/cartpole/1/retire", {"why": "old"})
    assert client.get(f"{API}/baselines/cartpole/latest").status_code == 404
    assert get(client, "/baselines")["items"] == []
    assert [one["name"] for one in get(client, "/baselines", retired=True)["items"]] == ["cartpole"]
    restored = post(client, "/baselines/cartpole/2/restore")
    assert (restored["retired_at"], restored["retired_why"]) == (None, None)
    assert get(client, "/baselines/cartpole/latest")["version"] == 2


def test_baselines_are_listed_by_name_in_pages(client: TestClient, ids: list[str]) -> None:
    for name in ("b", "a", "c"):
        bless(client, name)
    first = get(client, "/baselines", limit=2)
    rest = get(client, "/baselines", limit=2, cursor=first["next"])
    assert [one["name"] for one in [*first["items"], *rest["items"]]] == ["a", "b", "c"]
    assert [one["name"] for one in get(client, "/baselines", q="B")["items"]] == ["b"]


def test_what_is_exported_can_be_brought_in_again(client: TestClient, ids: list[str]) -> None:
    bless(client, who="ada", why="first")
    text = client.get(f"{API}/baselines/cartpole/1/export").text
    made = post(client, "/baselines/import", {"name": "copy", "content": text}, status=201)
    assert (made["version"], made["who"], made["why"], made["runs"]) == (1, "ada", "first", [])
    again = json.loads(client.get(f"{API}/baselines/copy/1/export").text)
    first = json.loads(text)
    first["dreamgate"]["name"] = "copy"
    assert again == first


def test_the_older_tool_s_file_has_only_its_fields(client: TestClient, ids: list[str]) -> None:
    bless(client)
    tree = client.get(f"{API}/baselines/cartpole/1/export", params={"format": "seed"}).json()
    assert "dreamgate" not in tree
    assert tree["metrics"][KEY] == 480
    assert post(client, "/baselines/import", {"name": "old", "content": json.dumps(tree)}, status=201)["seeds"] == 1


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"schema_version": 1, "metrics": {}}', "\ud7ff"])
def test_what_is_no_baseline_is_refused_in_words(client: TestClient, content: str) -> None:
    answer = client.post(f"{API}/baselines/import", json={"name": "x", "content": content})
    status, code, message = refused(answer)
    assert (status, code) == (422, "invalid")
    assert message.startswith("content ")


def test_two_versions_are_compared(client: TestClient, ids: list[str]) -> None:
    bless(client)
    bless(client, why="only the end", window={"last": 1}, threshold_pct=0.3)
    found = get(client, "/baselines/cartpole/diff", before="1", after="2")
    assert (found["before"], found["after"]) == ("cartpole v1", "cartpole v2")
    changed = {metric["key"]: (metric["before"], metric["after"]) for metric in found["metrics"]}
    assert changed["Loss/world_model_loss"] == (pytest.approx(10 / 3), 2.0)


def test_a_repeated_blessing_makes_one_version(client: TestClient, ids: list[str]) -> None:
    headers = {"Idempotency-Key": "once"}
    body = {"name": "cartpole", "runs": ids}
    first, second = (client.post(f"{API}/baselines", json=body, headers=headers) for _ in range(2))
    assert (first.json(), second.headers["Idempotency-Replayed"]) == (second.json(), "true")


@pytest.mark.parametrize("name", ["..", "a b", "a/b", "", "x" * 81, "é"])
def test_names_that_would_need_quoting_are_refused(client: TestClient, ids: list[str], name: str) -> None:
    assert client.post(f"{API}/baselines", json={"name": name, "runs": ids}).status_code == 422
