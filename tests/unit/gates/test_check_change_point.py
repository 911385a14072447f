"""change_point: it warns about a new level, on the same machine, and not for ever."""

from collections.abc import Sequence
from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.change_point import ChangePoint
from dreamer_core.gates.evidence import Past
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.result import Result
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, NAN, judge

LOW, HIGH = [100.0, 101.0, 99.0, 100.5, 100.0, 99.5], [150.0, 151.0, 149.0, 150.5, 150.0, 149.5]


def looked_at(values: Sequence[float], key: str = "sps", **settings: Any) -> Result:
    past = tuple(Past(value=value, label=f"c{number}", testbed="A") for number, value in enumerate(values))
    return judge(ChangePoint(keys=(key,), **settings), SeedGroup(runs=()), history={key: past})


@pytest.mark.parametrize(
    ("key", "values", "verdict"),
    [
        ("sps", LOW + HIGH, Verdict.IMPROVED),
        ("sps", HIGH + LOW, Verdict.FAIL),
        ("total_ms", LOW + HIGH, Verdict.FAIL),
        ("total_ms", HIGH + LOW, Verdict.IMPROVED),
        ("my/own", LOW + HIGH, Verdict.FAIL),
        ("sps", LOW + LOW, Verdict.PASS),
        ("sps", [0.0] * 6 + HIGH, Verdict.IMPROVED),  # from zero there is no share
    ],
)
def test_a_new_level_is_judged_by_its_direction(key: str, values: list[float], verdict: Verdict) -> None:
    assert looked_at(values, key).verdict is verdict


def test_the_change_is_named_with_its_numbers() -> None:
    found = looked_at(HIGH + LOW)
    assert "the level changed 150 -> 100 (-33.3%) at c6, p 0." in found.reason
    assert found.numbers["changes"][0]["at"] == 6


def test_it_warns_and_does_not_count_unless_told_to() -> None:
    assert looked_at(HIGH + LOW).is_warning
    assert not looked_at(HIGH + LOW, required=True).is_warning


def test_small_changes_are_not_worth_a_word() -> None:
    assert looked_at([100.0, 100.1] * 4 + [102.0, 102.1] * 4).verdict is Verdict.PASS
    assert looked_at([100.0, 100.1] * 4 + [102.0, 102.1] * 4, min_effect=0.01).verdict is Verdict.IMPROVED


def test_an_old_change_is_no_news() -> None:
    found = looked_at(HIGH + LOW * 4)
    assert found.verdict is Verdict.PASS
    assert "the last of 1 change 24 values ago" in found.reason
    assert found.numbers["changes"]


def test_other_machines_are_left_out_and_counted() -> None:
    past = [Past(value=value, testbed="B") for value in HIGH] + [Past(value=value, testbed="A") for value in LOW + LOW]
    found = judge(ChangePoint(keys=("sps",)), SeedGroup(runs=()), history={"sps": tuple(past)})
    assert found.verdict is Verdict.PASS
    assert "left out: 6 of other testbeds, 0 not finite" in found.reason


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_newest_value_that_is_bad_fails_and_an_older_one_is_left_out(bad: float) -> None:
    assert looked_at([*LOW, *LOW, bad]).verdict is Verdict.FAIL
    assert "1 not finite" in looked_at([bad, *LOW, *LOW]).reason


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 7])
def test_a_short_history_is_no_data(values: list[float]) -> None:
    found = looked_at(values)
    assert found.verdict is Verdict.NO_DATA
    assert "needs 8" in found.reason


def test_a_sterner_p_needs_a_longer_history() -> None:
    assert "needs 10" in looked_at(LOW, p=0.01).reason


@pytest.mark.parametrize("wrong", [{"keys": ()}, {"p": 0}, {"min_effect": -1}, {"n_min": 5}, {"recent": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ChangePoint(**{"keys": ("sps",), **wrong})
