"""The pages' own modules, where they compute: called in the browser that they run in."""

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def call(page: Page, module: str, expression: str, **given: Any) -> Any:
    """An expression over `m`, the module, and `given`."""
    if "/login" not in page.url:
        page.goto("/login")
    return page.evaluate(f"async given => {{ const m = await import('/static/js/{module}.js'); {expression} }}", given)


def test_a_point_that_is_there_already_is_not_drawn_twice(page: Page) -> None:
    script = """
      const series = new m.Series("loss");
      series.load({x: [1, 2], last: [5, 4], min: [5, 4], max: [5, 4], non_finite: [0, 0]});
      return [series.append(2, 4), series.append(1, 9), series.append(3, 3), series.x, series.last];
    """
    assert call(page, "series", script) == [False, False, True, [1, 2, 3], [5, 4, 3]]


def test_what_is_not_finite_is_a_gap_a_mark_and_a_word(page: Page) -> None:
    script = """
      const series = new m.Series("loss");
      series.load({x: [1, 2], last: [5, "NaN"], min: [5, null], max: [5, null], non_finite: [0, 3]});
      series.append(3, "Infinity");
      return [series.last, series.marks, series.latest];
    """
    assert call(page, "series", script) == [[5, None, None], [2, 3], "Infinity"]


def test_smoothing_forgets_along_the_axis(page: Page) -> None:
    """Two points that are one reach apart: the older one weighs 1/e as much."""
    near, far = call(page, "series", "return [m.smooth([0, 1], [0, 1], 1)[1], m.smooth([0, 99], [0, 1], 1)[1]];")
    assert near == pytest.approx(1 / (1 + 0.36788), rel=1e-4)
    assert far == pytest.approx(1)


def test_smoothing_leaves_gaps(page: Page) -> None:
    assert call(page, "series", "return m.smooth([0, 1, 2], [1, null, 1], 5);") == [1, None, 1]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\n", "plain\n"),
        ("\x1b[31mred\x1b[0m\n", "red\n"),
        (" 10 %\r 50 %\r100 %\ndone\n", "100 %\ndone\n"),
        ("windows\r\n", "windows\n"),
    ],
)
def test_a_log_reads_without_the_terminals_tricks(page: Page, raw: str, shown: str) -> None:
    assert call(page, "log", "return m.readable(given.raw);", raw=raw) == shown


@pytest.mark.parametrize(
    ("value", "text"), [(12500, "12.5k"), (0.25, "0.25"), (3e6, "3M"), (0.00001, "1e-5"), (0, "0")]
)
def test_ticks_are_short(page: Page, value: float, text: str) -> None:
    assert call(page, "words", "return m.tick(given.value);", value=value) == text


def test_ages_read_as_the_server_writes_them(page: Page) -> None:
    script = "return [0.2, 5, 119, 200000].map(m.ago);"
    assert call(page, "times", script) == ["now", "5 s ago", "1 min ago", "2 d ago"]
