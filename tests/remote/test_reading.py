"""What the client makes of an answer, also of an older or a newer server's."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from dreamer_core.remote.errors import Unreadable
from dreamer_core.remote.reading import read, read_all
from dreamer_core.remote.shapes import Run
from tests.remote.fakes import a_run


@dataclass(frozen=True, kw_only=True)
class Inner:
    number: float


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    inner: Inner
    values: tuple[float | None, ...]
    named: dict[str, float]
    whole: int | None
    optional: str = "default"


WHOLE: dict[str, Any] = {
    "name": "NaN",
    "inner": {"number": 1},
    "values": [1.5, None, "NaN", "-Infinity"],
    "named": {"a": "Infinity"},
    "whole": None,
}


def test_words_for_numbers_become_numbers_and_only_where_numbers_belong() -> None:
    found = read(Outer, WHOLE)
    assert found.name == "NaN"
    assert found.inner == Inner(number=1.0)
    assert found.values[:2] == (1.5, None)
    assert math.isnan(found.values[2] or 0)
    assert found.values[3] == -math.inf
    assert found.named == {"a": math.inf}


def test_what_a_newer_server_adds_is_passed_over() -> None:
    assert read(Outer, {**WHOLE, "colour": "blue", "inner": {"number": 2, "unit": "m"}}).inner.number == 2


def test_what_may_be_left_out_has_its_default() -> None:
    assert read(Outer, WHOLE).optional == "default"


def test_what_is_missing_is_named_with_its_place() -> None:
    with pytest.raises(Unreadable, match=r"no 'number' in Outer\.inner"):
        read(Outer, {**WHOLE, "inner": {}})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": 1}, "Outer.name"),
        ({"whole": 1.5}, "Outer.whole"),
        ({"whole": True}, "Outer.whole"),
        ({"values": "abc"}, "Outer.values"),
        ({"values": ["many"]}, "Outer.values"),
        ({"named": []}, "Outer.named"),
        ({"inner": None}, "Outer.inner"),
        ({"inner": {"number": True}}, "Outer.inner.number"),
    ],
)
def test_what_is_of_another_type_is_named_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Unreadable, match=place):
        read(Outer, {**WHOLE, **change})


@pytest.mark.parametrize("found", [[], {}, {"items": None}, None])
def test_a_list_needs_items(found: Any) -> None:
    with pytest.raises(Unreadable, match="list of Inner has no items"):
        read_all(Inner, found)


def test_a_run_knows_whether_it_is_over() -> None:
    states = ("queued", "running", "stopping", "succeeded", "failed", "cancelled")
    runs = [read(Run, a_run(state=state)) for state in states]
    assert [run.is_final for run in runs] == [False, False, False, True, True, True]
    assert math.isnan(runs[0].metrics["Loss/total"] or 0)
