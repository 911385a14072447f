"""Results in the order in which one asks about them, the levels of their curves, and how many seeds would decide."""

from typing import Any

from dreamer_core.gates import Verdict
from server.pages.judged import Limit, judged, limits, more_seeds

KEY = "eval/mean_return"
COMPARISON = {
    **dict.fromkeys(("p_worse", "p_not_worse", "p_better"), 0.5),
    **{"baseline": 480.0, "candidate": 440.0, "difference": -40.0, "low": -90.0, "high": 10.0, "margin": 48.0},
    **{"spread": 40.0, "n_baseline": 4, "n_candidate": 4, "alpha": 0.05},
}


def result(kind: str, verdict: str = "fail", **more: Any) -> dict[str, Any]:
    plain = {"check": kind, "kind": kind, "key": KEY, "reason": "", "required": True, "warning": False}
    return {**plain, "verdict": verdict, "numbers": {}, "comparison": None, **more}


def test_what_decides_comes_first_and_what_only_warns_last() -> None:
    found = judged([result("a", "pass"), result("b", "fail", required=False), result("c", "no_data"), result("d")])
    assert [one.check for one in found] == ["d", "c", "a", "b"]


def test_levels_are_those_of_every_check_of_the_metric() -> None:
    floor = result("floor", numbers={"found": 3, "bound": 400})
    other = result("floor", key="sps", numbers={"found": 3, "bound": 100})
    seeds = result("seeds_bootstrap", comparison=COMPARISON, numbers={"measure": "median of each run over all records"})
    assert limits([floor, other, seeds], KEY) == [
        Limit(y=400, label="limit of floor"),
        Limit(y=432.0, label="limit of seeds bootstrap"),
    ]


def test_a_level_that_was_never_reached_is_not_called_one_to_keep() -> None:
    runs = [{"worst": 480, "keep": 400, "level": 475}, {"reached": None, "best": 318}]
    assert limits([result("hold", numbers={"runs": runs})], KEY) == [Limit(y=475, label="to reach")]


def test_an_area_under_a_curve_has_no_level() -> None:
    seeds = result("seeds_bootstrap", comparison=COMPARISON, numbers={"measure": "mean height over env steps 0..9"})
    assert limits([seeds], KEY) == []


def test_the_seeds_that_are_missing_are_those_of_the_advice_less_those_that_are_there() -> None:
    """A distance of 8 with a spread of 40 takes 1.2 * 2 * ((1.645 + 0.842) * 5)^2 = 371."""
    assert more_seeds([result("seeds_bootstrap", "inconclusive", comparison=COMPARISON)]) == 100  # the most at once
    clear = {**COMPARISON, "difference": -20.0}
    assert more_seeds([result("seeds_bootstrap", "inconclusive", comparison=clear)]) == 31 - 4


def test_where_no_verdict_says_how_many_it_is_four() -> None:
    assert more_seeds([]) == more_seeds([result("floor")]) == 4
    assert more_seeds([result("hold", Verdict.INCONCLUSIVE)]) == 4
