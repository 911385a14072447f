"""What is wrong with a request is said in plain words, with what is allowed."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.refusals import PATTERNS
from tests.server.jobs.asking import API


def patterns(schema: Any) -> Iterator[str]:
    """Every one in the API's description."""
    if isinstance(schema, dict):
        if isinstance(found := schema.get("pattern"), str):
            yield found
        for part in schema.values():
            yield from patterns(part)
    if isinstance(schema, list):
        for part in schema:
            yield from patterns(part)


def message(client: TestClient, body: dict[str, Any]) -> str:
    answer = client.post(f"{API}/jobs", json={"kind": "train", "words": ["preset=cartpole"], **body})
    assert answer.status_code == 422
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"limits": {"rss_mb": 1}}, "limits.rss_mb: is not known here; did you mean rss_mib?; there is disk_mib, "),
        ({"sedes": [1]}, "sedes: is not known here; did you mean seeds?"),
        ({"commit": "HEAD"}, "commit: must be a commit: 7 to 40 of the digits 0-9 and a-f"),
        ({"queue": "No Such"}, "queue: must be at most 60 small letters, digits"),
        ({"priority": 101}, "priority: must be at most 100"),
        ({"priority": "high"}, "priority: must be a whole number"),
        ({"seeds": []}, "seeds: must have at least 1"),
        ({"kind": "play"}, "kind: must be 'train', 'eval', 'bench' or 'viz'"),
        ({"name": ""}, "name: may not be empty"),
        ({"gpus": 1.5}, "gpus: must be a whole number"),
        ({"arguments": {"episodes": 3}}, "arguments.episodes: is not known here"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(client: TestClient, body: dict[str, Any], words: str) -> None:
    assert message(client, body).startswith(words)


def test_an_argument_that_nobody_knows_is_told_beside_those_that_there_are(client: TestClient) -> None:
    answer = client.post(
        f"{API}/jobs", json={"kind": "bench", "words": ["preset=cartpole"], "arguments": {"update": 1}}
    )
    assert "did you mean updates?; there is laps, updates, warmup" in answer.json()["error"]["message"]


def test_what_is_no_json_is_said_of_the_body_and_not_of_a_character(client: TestClient) -> None:
    answer = client.post(f"{API}/jobs", content=b"{bad", headers={"Content-Type": "application/json"})
    error = answer.json()["error"]
    assert (error["where"], error["seen"]) == ("body", None)
    assert error["message"].startswith("body: is no JSON: ")


def test_every_pattern_of_the_api_has_words(client: TestClient) -> None:
    described = client.get(f"{API}/openapi.json").json()
    assert set(patterns(described)) <= PATTERNS.keys()
