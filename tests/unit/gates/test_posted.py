"""History and parity as JSON."""

from typing import Any

import pytest

from dreamer_core.errors import UsageError
from dreamer_core.gates.evidence import ParityCase, Past
from dreamer_core.gates.posted import history_from, parity_from


def test_a_history_is_plain_numbers_or_says_more() -> None:
    found = history_from({"sps": [1, {"value": 2.5, "label": "c2", "testbed": "A"}]}, "h")
    assert found == {"sps": (Past(value=1.0), Past(value=2.5, label="c2", testbed="A"))}


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ([1], "h: a history is an object of lists"),
        ({"a": 1}, "h: a history is an object of lists"),
        ({"a": ["x"]}, "h: a\\[0\\].value must be a number, got 'x'"),
        ({"a": [{"label": "x"}]}, "h: a\\[0\\].value must be a number, got None"),
    ],
)
def test_a_history_of_something_else_is_refused(tree: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        history_from(tree, "h")


def test_a_case_was_compared_or_skipped() -> None:
    found = parity_from(
        [{"name": "a", "error": 1, "tolerance": 2, "reference": "r"}, {"name": "b", "status": "skipped"}], "p"
    )
    assert found == (
        ParityCase(name="a", error=1.0, tolerance=2.0, reference="r"),
        ParityCase(name="b", status="skipped"),
    )


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ({}, "p: parity is a list of cases"),
        ([1], "p: parity\\[0\\] must be an object with a name"),
        ([{"error": 1}], "must be an object with a name"),
        ([{"name": "a", "error": 1}], "p: parity\\[0\\].tolerance must be a number, got None"),
        ([{"name": "a", "status": "failed"}], "status must be compared or skipped, got 'failed'"),
    ],
)
def test_a_case_of_something_else_is_refused(tree: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parity_from(tree, "p")
