"""floor and ceiling: absolute bounds, in both directions."""

from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.bounds import Ceiling, Floor
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, NAN, SCORE, group, judge, summary


@pytest.mark.parametrize(
    ("value", "strict", "floor", "ceiling"),
    [
        (5.0, False, Verdict.PASS, Verdict.PASS),
        (5.0, True, Verdict.FAIL, Verdict.FAIL),
        (5.1, True, Verdict.PASS, Verdict.FAIL),
        (4.9, True, Verdict.FAIL, Verdict.PASS),
    ],
)
def test_a_floor_is_below_and_a_ceiling_above(value: float, strict: bool, floor: Verdict, ceiling: Verdict) -> None:
    candidate = group([value] * 3)
    assert judge(Floor(key=SCORE, value=5.0, strict=strict), candidate).verdict is floor
    assert judge(Ceiling(key=SCORE, value=5.0, strict=strict), candidate).verdict is ceiling


def test_a_success_rate_of_zero_is_not_above_zero() -> None:
    check = Floor(key="success_rate", value=0.0, strict=True)
    assert judge(check, summary(success_rate=0.0)).verdict is Verdict.FAIL
    assert judge(check, summary(success_rate=0.125)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("of", "floor", "ceiling"), [("median", 2, 3), ("mean", 3, 3), ("min", 1, 1), ("max", 6, 6), ("last", 2, 2)]
)
def test_what_of_the_window_is_looked_at(of: Any, floor: float, ceiling: float) -> None:
    candidate = group([1, 6, 3, 2])
    assert judge(Floor(key=SCORE, value=0, of=of), candidate).numbers["found"] == floor
    assert judge(Ceiling(key=SCORE, value=0, of=of), candidate).numbers["found"] == ceiling


def test_every_run_counts_or_the_middle_one() -> None:
    candidate = group([1.0], [4.0], [6.0], [9.0])
    assert judge(Floor(key=SCORE, value=0), candidate).numbers["found"] == 1
    assert judge(Ceiling(key=SCORE, value=0), candidate).numbers["found"] == 9
    assert judge(Floor(key=SCORE, value=0, across="median"), candidate).numbers["found"] == 4
    assert judge(Ceiling(key=SCORE, value=0, across="median"), candidate).numbers["found"] == 6


def test_the_reason_says_what_was_asked() -> None:
    found = judge(Floor(key=SCORE, value=5, strict=True, window=Window(last=2)), group([9, 3, 4]))
    assert found.reason == f"{SCORE}: 3, must be above 5; median of the last 2 records, worst of 1 run"
    assert "must be at most 5" in judge(Ceiling(key=SCORE, value=5), group([3])).reason


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_bad_values_fail_on_both_sides(bad: float) -> None:
    assert judge(Floor(key=SCORE, value=0), group([1, bad])).verdict is Verdict.FAIL
    assert judge(Ceiling(key=SCORE, value=9), group([1, bad])).verdict is Verdict.FAIL


@pytest.mark.parametrize("candidate", [SeedGroup(runs=()), group([]), group([1.0], key="other"), group([1.0], [])])
def test_nothing_is_no_data(candidate: SeedGroup) -> None:
    assert judge(Floor(key=SCORE, value=0), candidate).verdict is Verdict.NO_DATA


def test_one_value_is_enough_unless_more_are_asked_for() -> None:
    assert judge(Floor(key=SCORE, value=0), group([1.0])).verdict is Verdict.PASS
    assert judge(Floor(key=SCORE, value=0, n_min=2), group([1.0])).verdict is Verdict.NO_DATA


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="key: must name a metric"):
        Floor(value=1)
    with pytest.raises(ConfigError, match="value: must be given, as a finite number"):
        Floor(key="a")
    with pytest.raises(ConfigError, match="n_min"):
        Ceiling(key="a", value=1, n_min=0)
