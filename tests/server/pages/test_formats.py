"""Numbers and times as the pages write them."""

import math

import pytest

from server.pages import formats

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (475, "475"),
        (475.0, "475"),
        (0.12345, "0.1235"),
        (12_345.678, "12,346"),
        (-0.5, "-0.5"),
        (0, "0"),
        (0.00002, "2.00e-05"),
        (2.5e9, "2.50e+09"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
        ("NaN", "NaN"),
        (None, "–"),
    ],
)
def test_a_number_has_four_digits_that_matter(value: float | str | None, text: str) -> None:
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (4320, "1 h 12 min"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (86_460, "1 d"),
        (None, "–"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(("age", "text"), [(0.2, "now"), (5, "5 s ago"), (119, "1 min ago"), (200_000, "2 d ago")])
def test_an_age_has_one_unit(age: float, text: str) -> None:
    assert formats.ago(NOW - age, NOW) == text


def test_a_moment_of_the_api_and_one_of_a_row_read_the_same() -> None:
    assert formats.absolute("2023-11-14T22:13:20.000+00:00") == formats.absolute(NOW) == "2023-11-14 22:13:20 UTC"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1,023 B"), (1024, "1 KiB"), (5_000_000, "4.77 MiB"), (None, "–")]
)
def test_a_size_has_a_binary_unit(count: int | None, text: str) -> None:
    assert formats.size(count) == text


@pytest.mark.parametrize(("share", "text"), [(0.0, "0 %"), (0.9999, "99 %"), (1.0, "100 %"), (None, "–")])
def test_nothing_is_done_before_it_is(share: float | None, text: str) -> None:
    assert formats.percent(share) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "null"), (True, "true"), (["rgb", 1], "[rgb, 1]"), (1e-05, "1e-05"), ("x", "x")]
)
def test_a_setting_is_written_as_one_would_type_it(value: object, text: str) -> None:
    assert formats.setting(value) == text
