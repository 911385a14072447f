"""Small pictures of single checks, and what they say to whoever cannot see them."""

from typing import Any

import pytest

from server.pages.gauges import WIDTH, Gauge, gauge_of


def result(kind: str, comparison: Any = None, **numbers: Any) -> dict[str, Any]:
    return {"kind": kind, "numbers": numbers, "comparison": comparison}


def test_a_value_stands_between_its_neighbours() -> None:
    gauge = Gauge(value=5.0, low=0.0, high=10.0)
    assert gauge.at(0.0) < gauge.at(5.0) == WIDTH / 2 < gauge.at(10.0)


def test_what_has_no_end_goes_to_the_edge() -> None:
    assert Gauge(value=5.0, low=1.0).at(None, WIDTH) == WIDTH


def test_one_number_alone_stands_in_the_middle() -> None:
    assert Gauge(value=0.0).at(0.0) == Gauge(value=3.0).at(3.0) == WIDTH / 2


@pytest.mark.parametrize(
    ("direction", "asked"), [("higher", "at least 90"), ("lower", "at most 110"), ("info", "90 … 110")]
)
def test_a_threshold_is_accepted_in_the_direction_that_is_better(direction: str, asked: str) -> None:
    gauge = gauge_of(result("threshold_median", baseline=100, current=95, allowed=10, direction=direction))
    assert gauge is not None
    assert gauge.asked_words == asked
    assert gauge.words == f"95 measured, accepted: {asked}, reference 100"


def test_the_worst_evaluation_of_all_runs_is_held_against_what_must_be_kept() -> None:
    runs = [{"worst": 480, "keep": 400, "level": 475}, {"worst": 120, "keep": 400, "level": 475}]
    gauge = gauge_of(result("hold", runs=runs))
    assert gauge is not None
    assert gauge.measured_words == "worst 120"
    assert gauge.dots == (480, 120)


def test_a_run_that_never_got_there_is_shown_with_its_best() -> None:
    gauge = gauge_of(result("hold", runs=[{"worst": 480, "keep": 400, "level": 475}, {"reached": None, "best": 318}]))
    assert gauge is not None
    assert (gauge.measured_words, gauge.asked_words) == ("best 318", "reach 475")


def test_a_loss_is_worst_where_it_is_high() -> None:
    gauge = gauge_of(result("hold", runs=[{"worst": 3, "keep": 2, "level": 1}, {"worst": 5, "keep": 2, "level": 1}]))
    assert gauge is not None
    assert gauge.measured_words == "worst 5"


@pytest.mark.parametrize(
    "holes",
    [
        result("threshold_median", baseline=100, current="NaN", allowed=10),
        result("floor", found=None, bound=3),
        result("finite", nan=3),
        result("throughput", n=3, ratio=0.9),
        result("parity", cases=[{"error": "Infinity", "tolerance": 1}]),
        result("hold", runs=[{"best": 3}]),
        result("seeds_bootstrap", {"difference": "NaN"}),
        result("a check of a later version", found=3),
    ],
)
def test_what_is_missing_or_not_finite_is_not_drawn(holes: dict[str, Any]) -> None:
    assert gauge_of(holes) is None


def test_the_case_nearest_to_its_limit_stands_for_all() -> None:
    cases = [{"error": 1e-7, "tolerance": 1e-6}, {"error": 2e-3, "tolerance": 1e-3}, {"error": 0, "tolerance": 0}]
    gauge = gauge_of(result("parity", cases=cases))
    assert gauge is not None
    assert gauge.measured_words == "0.002 off"
