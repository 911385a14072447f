"""An error can always be said, whatever it was that was seen."""

import math
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.errors import GapError, InvalidError
from server.house import House
from tests.server.factories import a_run
from tests.server.jobs.asking import API, refused


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ("x" * 300, "x" * 200),
        ("\ud800", "\\ud800"),
        (["\ud800"], "['\\ud800']"),
    ],
)
def test_what_was_seen_is_shown_as_json_can_hold_it(seen: Any, shown: Any) -> None:
    assert InvalidError("No.", seen=seen).body()["error"]["seen"] == shown


def test_half_a_character_in_the_words_is_shown_by_its_number() -> None:
    error = InvalidError("No \ud800.", where="columns.\ud800").body()["error"]
    assert (error["message"], error["where"]) == ("No \\ud800.", "columns.\\ud800")


def test_a_gap_says_what_is_expected() -> None:
    assert GapError("A gap.", expected=3, seen=5).body()["error"]["expected"] == 3


@pytest.mark.parametrize(
    "body",
    [
        b'{"offset": 1e400, "records": []}',
        b'{"offset": "\\ud800", "records": []}',
        b'{"offset": 0, "records": ["\\ud800"]}',
        b'{"offset": 0, "records": [1e400]}',
        b'{"offset": 0, "columns": {"env_steps": [1], "\\ud800": [1, 2]}}',
    ],
)
def test_what_no_answer_can_hold_is_refused_like_anything_else(client: TestClient, house: House, body: bytes) -> None:
    with house.database.writing() as session:
        run_id = a_run(session).id
    assert refused(client.post(f"{API}/runs/{run_id}/metrics", content=body))[:2] == (422, "invalid")


@pytest.mark.parametrize("value", [b"1e400", b"NaN"])
def test_an_argument_that_is_no_finite_number_is_refused(client: TestClient, house: House, value: bytes) -> None:
    body = b'{"kind": "bench", "words": ["preset=cartpole"], "arguments": {"updates": ' + value + b"}}"
    response = client.post(f"{API}/jobs", content=body, headers={"Content-Type": "application/json"})
    assert refused(response)[:2] == (422, "invalid")
