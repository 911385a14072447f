"""Presets, the schema and validation over REST."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from server.app import build_app
from server.configs.estimates import Estimate, Estimates
from server.configs.resolve import resolve
from server.house import House
from tests.server.conftest import TOKEN


def test_presets_are_listed_with_what_they_are(client: TestClient) -> None:
    items = client.get("/api/v1/presets").json()["items"]
    text = {item["name"]: item["text"] for item in items}
    assert text["cartpole"] == "CartPole-v1 from its four numbers, learned in minutes on one core."


def test_a_preset_may_be_layered(client: TestClient) -> None:
    found = client.get("/api/v1/presets/cartpole+debug").json()
    assert found["preset"] == "cartpole+debug"
    assert (found["config"]["env"]["id"], found["config"]["algo"]["total_steps"]) == ("CartPole-v1", 64)


@pytest.mark.parametrize("name", ["nothing", "cartpole+", "..", "%00", "cartpole+nothing"])
def test_an_unknown_preset_is_not_found(client: TestClient, name: str) -> None:
    assert client.get(f"/api/v1/presets/{name}").status_code == 404


def test_the_schema_is_one_of_2020(client: TestClient) -> None:
    schema = client.get("/api/v1/config/schema").json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["mode"]["enum"] == ["train", "bootstrap", "dreamer", "standing_still"]


def test_a_valid_config_is_answered_whole(client: TestClient) -> None:
    answer = client.post(
        "/api/v1/validate", json={"words": ["preset=cartpole", "seed=7"], "config": {"algo.horizon": 9}}
    )
    found = answer.json()
    assert answer.status_code == 200
    assert found["config"]["algo"]["horizon"] == 9
    assert {key: found[key] for key in ("preset", "env", "recipe", "mode", "seed", "total_steps", "seeds")} == {
        "preset": "cartpole",
        "env": "CartPole-v1",
        "recipe": "nature",
        "mode": "train",
        "seed": 7,
        "total_steps": 4000,
        "seeds": [7],
    }
    assert found["estimate"] is found["estimate_problem"] is None


def test_asked_seeds_come_back(client: TestClient) -> None:
    assert client.post("/api/v1/validate", json={"words": ["preset=debug"], "seeds": [0, 1]}).json()["seeds"] == [0, 1]


def test_a_wrong_config_says_where(client: TestClient) -> None:
    answer = client.post("/api/v1/validate", json={"words": ["preset=cartpole", "algo.gamma=2"]})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["where"], error["message"]) == ("algo.gamma", "algo.gamma: must be at most 1, got 2.0")


@pytest.mark.parametrize(
    "body",
    [
        {"words": ["a=1"] * 201},
        {"words": ["a" * 1001]},
        {"words": ["seed=1\x00"]},
        {"config": {"x": "\ud800"}},
        {"config": {"seed": 2**60}},
        {"config": {"a": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]}},
        {"seeds": []},
        {"seeds": [-1]},
        {"seeds": [2**53 + 1]},
        {"unknown": 1},
    ],
    ids=lambda body: ascii(body)[:30],
)
def test_a_request_out_of_bounds_is_refused(client: TestClient, body: dict[str, object]) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post("/api/v1/validate", content=json.dumps(body), headers=headers).status_code == 422


def test_an_estimate_comes_with_the_answer_where_it_is_asked_for(house: House) -> None:
    asked = replace(house, estimates=Estimates(lambda file: Estimate({"parameters": 1}, None)))
    with TestClient(build_app(asked), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        found = client.post("/api/v1/validate", json={"words": ["preset=debug"], "estimate": True}).json()
    assert (found["estimate"], found["estimate_problem"]) == ({"parameters": 1}, None)


def test_an_estimate_is_the_dry_run_of_the_command_line() -> None:
    pytest.importorskip("torch")
    config = resolve(["preset=cartpole+debug"])
    estimate = Estimates().of(config.config)
    assert estimate.problem is None
    assert estimate.found is not None
    assert estimate.found["fingerprint"] == config.fingerprint
    assert estimate.found["config"] == config.config
    assert estimate.found["parameters"]["total"] > 0


def test_what_the_dry_run_cannot_do_is_said() -> None:
    pytest.importorskip("torch")
    estimate = Estimates().of(resolve(["preset=cartpole+debug", "env.id=NoSuchEnv-v0"]).config)
    assert estimate.found is None
    assert "NoSuchEnv" in (estimate.problem or "")


def test_the_same_config_is_estimated_once() -> None:
    asked: list[dict[str, object]] = []

    def run(file: Path) -> Estimate:
        asked.append(json.loads(file.read_text()))
        return Estimate({"parameters": len(asked)}, None)

    estimates = Estimates(run)
    assert estimates.of({"seed": 1}) == estimates.of({"seed": 1}) == Estimate({"parameters": 1}, None)
    assert estimates.of({"seed": 2}).found == {"parameters": 2}
    assert asked == [{"seed": 1}, {"seed": 2}]


def test_a_crowd_that_asks_for_estimates_is_told_at_once_to_come_again() -> None:
    """Each that waits would keep a thread of the server for a minute; with forty of them nothing would be answered."""
    is_done = threading.Event()

    def slow(file: Path) -> Estimate:
        is_done.wait(30)
        return Estimate({"parameters": 1}, None)

    estimates = Estimates(slow)
    with ThreadPoolExecutor(10) as crowd:
        asked = [crowd.submit(estimates.of, {"seed": seed}) for seed in range(10)]
        told = [done.result().problem or "" for done in islice(as_completed(asked), 6)]
        is_done.set()
    assert len(told) == 6
    assert all("Too many" in problem for problem in told)
    assert sum(done.result().found is not None for done in asked) == 4


def test_an_estimate_that_failed_is_asked_for_again() -> None:
    answers = [Estimate(None, "it took too long"), Estimate({"parameters": 1}, None)]
    estimates = Estimates(lambda file: answers.pop(0))
    assert estimates.of({}).problem == "it took too long"
    assert estimates.of({}).found == {"parameters": 1}
