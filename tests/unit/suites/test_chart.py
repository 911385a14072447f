"""Charts of checks: a dot for every seed, at its place, and in words what the picture shows."""

import math
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.suites.chart import Strip, chart_svg, strip_of
from tests.unit.suites.reported import a_check

SVG = "{http://www.w3.org/2000/svg}"
SIDES = {"candidate_scores": {"cart": [450.0, 470.0]}, "baseline_scores": {"cart": [480.0, 500.0]}}
CLAIM = {"baseline": 490.0, "candidate": 460.0, "difference": -30.0, "margin": 49.0}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def drawn(strip: Strip) -> Element:
    return ElementTree.fromstring(chart_svg(strip))


def places(strip: Strip, kind: str = "seed") -> list[float]:
    return [float(dot.attrib["cx"]) for dot in drawn(strip).iter(f"{SVG}circle") if dot.attrib["class"] == kind]


def of(numbers: Mapping[str, Any], comparison: Mapping[str, Any] | None = None) -> Strip | None:
    return strip_of(a_check(numbers=numbers, comparison=comparison))


def test_a_bound_is_a_limit() -> None:
    strip = of({"per_run": {"a": 480.0, "b": 350.0}, "bound": 400.0})
    assert strip == Strip(title="floor eval/mean_return", scores=(480.0, 350.0), limit=400.0)
    left, right = sorted(places(strip))
    assert left < right
    assert drawn(strip).attrib["aria-label"] == "floor eval/mean_return: 2 seeds from 350 to 480, limit 400"


def test_a_threshold_is_a_band_around_the_baseline() -> None:
    strip = of({"per_run": {"a": 480.0}, "baseline": 500.0, "allowed": 75.0})
    assert strip is not None
    assert (strip.middle, strip.band) == (500.0, (425.0, 575.0))
    assert "1 seed from 480 to 480, baseline 500, band 425 to 575" in chart_svg(strip)


def test_both_sides_of_a_comparison_are_drawn_with_the_accepted_loss() -> None:
    strip = of(SIDES, CLAIM)
    assert strip is not None
    assert (strip.before, strip.middle, strip.band, strip.limit) == ((480.0, 500.0), 490.0, (480.0, 500.0), 441.0)
    assert (len(places(strip)), len(places(strip, "old"))) == (2, 2)


def test_where_lower_is_better_the_limit_is_above() -> None:
    strip = of(SIDES, {**CLAIM, "difference": 30.0})
    assert strip is not None
    assert strip.limit == 539.0


def test_a_comparison_of_too_few_seeds_has_its_claim_among_its_numbers() -> None:
    assert of({**SIDES, "undecided": CLAIM}) == of(SIDES, CLAIM)
    assert of(SIDES) == Strip(
        title="floor eval/mean_return", scores=(450.0, 470.0), before=(480.0, 500.0), band=(480.0, 500.0)
    )


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        {"per_run": {}},
        {"per_run": {"a": "NaN"}, "bound": 1.0},
        {"per_run": {"a": 1.0}},
        {"per_run": {"a": 1.0}, "baseline": 1.0},
        {"candidate_scores": {"a": ["NaN"]}, "baseline_scores": {"a": [1.0]}},
        {"candidate_scores": {"a": [1.0], "b": [2.0]}, "baseline_scores": {"a": [1.0], "b": [1.0]}},
    ],
)
def test_without_a_score_for_each_seed_there_is_no_chart(numbers: dict[str, Any]) -> None:
    assert of(numbers) is None


def test_seeds_that_all_score_the_same_are_in_the_middle() -> None:
    assert places(Strip(title="x", scores=(5.0, 5.0))) == [315.0, 315.0]


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=5), st.text(max_size=20), st.none() | NUMBERS)
def test_any_scores_make_a_picture_with_all_dots_inside(scores: list[float], title: str, limit: float | None) -> None:
    strip = Strip(title=title, scores=tuple(scores), limit=limit)
    found = places(strip)
    assert len(found) == len(scores)
    assert all(90 <= place <= 540 for place in found)
    assert not any(math.isnan(place) for place in found)
