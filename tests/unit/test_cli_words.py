"""Numbers, times and curves as the terminal shows them."""

import math
from datetime import UTC, datetime

import pytest

from dreamer_core.cli.amounts import age, count, duration
from dreamer_core.cli.sparkline import sparkline


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (90, "2 min"),
        (3599, "1 h 00 min"),
        (3 * 3600 + 5 * 60, "3 h 05 min"),
        (86400 * 3 + 3600 * 4, "3 d 4 h"),
    ],
)
def test_a_duration_has_the_units_that_matter(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_an_age_is_never_negative_and_may_be_missing() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert age("2026-11-21T11:57:00.000+00:00", now) == "3 min ago"
    assert age("2026-11-21T12:00:05.000+00:00", now) == "0 s ago"  # the server's clock is ahead of ours
    assert age(None) == "–"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.0, "0"),
        (0.0123456, "0.01235"),
        (12.345, "12.35"),
        (1234567.8, "1,234,568"),
        (1.5e12, "1.500e+12"),
        (-2000, "-2,000"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (None, "–"),
    ],
)
def test_a_number_has_four_digits_and_says_when_it_is_none(number: float | None, words: str) -> None:
    assert count(number) == words


def test_a_curve_goes_from_its_lowest_to_its_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5, 5]) == "▄▄"
    assert sparkline([]) == ""


def test_what_is_missing_and_what_is_not_finite_is_seen() -> None:
    assert sparkline([0, None, math.nan, math.inf, 1]) == "▁ !!█"


def test_the_largest_numbers_can_be_drawn() -> None:
    assert sparkline([-1.7e308, 0, 1.7e308]) == "▁▅█"
