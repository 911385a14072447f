"""hold: a policy that solves the task and then forgets it is caught, whatever its median."""

from statistics import median
from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.hold import Hold
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, group, judge

CHECK = Hold(level=475, keep=400, n_min=3)
HELD = [20, 200, 500, 480, 490, 450]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (HELD, Verdict.PASS),
        ([20, 500, 500, 74, 500, 500, 500], Verdict.FAIL),  # solved, forgotten once, and the median is perfect
        ([20, 474, 474, 474], Verdict.FAIL),  # never there
        ([20, 20, 500, 500], Verdict.INCONCLUSIVE),  # there, with one evaluation after it
        ([20, 20, 20, 500], Verdict.INCONCLUSIVE),
        ([500, 399], Verdict.FAIL),  # little evidence is enough against it
        ([500, 400, 400, 400], Verdict.PASS),
    ],
)
def test_what_was_reached_is_kept(values: list[float], verdict: Verdict) -> None:
    assert judge(CHECK, group(values)).verdict is verdict


def test_the_median_does_not_see_what_hold_sees() -> None:
    values = [20, 500, 500, 74, 500, 500, 500]
    assert median(values) == 500
    found = judge(CHECK, group(values))
    assert "worst 74 at env step 400, must keep 400" in found.reason


def test_lower_may_be_better() -> None:
    check = Hold(key=LOSS, level=1.0, keep=2.0, n_min=3)
    assert judge(check, group([5, 0.9, 1.5, 1.2, 1.9], key=LOSS)).verdict is Verdict.PASS
    assert judge(check, group([5, 0.9, 1.5, 2.1, 1.0], key=LOSS)).verdict is Verdict.FAIL
    assert judge(check, group([5, 1.1, 1.5, 1.5, 1.5], key=LOSS)).verdict is Verdict.FAIL


def test_a_quantile_forgives_the_very_worst() -> None:
    values = [500.0] + [490.0] * 19 + [10.0]
    assert judge(CHECK, group(values)).verdict is Verdict.FAIL
    assert judge(Hold(level=475, keep=400, quantile=0.06), group(values)).verdict is Verdict.PASS


def test_misses_of_the_level_can_be_limited() -> None:
    values = [500, 450, 500, 450, 500]
    assert judge(Hold(level=475, keep=400, misses=2, n_min=3), group(values)).verdict is Verdict.PASS
    found = judge(Hold(level=475, keep=400, misses=1, n_min=3), group(values))
    assert found.verdict is Verdict.FAIL
    assert "2 short of the level, allowed 1" in found.reason


def test_the_level_can_have_a_deadline() -> None:
    assert judge(Hold(level=475, keep=400, by_env_steps=300, n_min=3), group(HELD)).verdict is Verdict.PASS
    forgotten_before = [20, 500, 9, 480, 490, 450]
    assert judge(Hold(level=475, keep=400, by_env_steps=300, n_min=3), group(forgotten_before)).verdict is Verdict.PASS
    assert judge(Hold(level=475, keep=400, by_env_steps=200, n_min=3), group(forgotten_before)).verdict is Verdict.FAIL
    late = judge(Hold(level=475, keep=400, by_env_steps=299, n_min=3), group(HELD))
    assert late.verdict is Verdict.FAIL
    assert "reached at env step 300, not by 299" in late.reason


def test_it_may_have_to_hold_for_some_steps_only() -> None:
    values = [500, 500, 500, 500, 9]
    assert judge(Hold(level=475, keep=400, for_env_steps=300, n_min=3), group(values)).verdict is Verdict.PASS
    assert judge(Hold(level=475, keep=400, for_env_steps=400, n_min=3), group(values)).verdict is Verdict.FAIL
    short = judge(Hold(level=475, keep=400, for_env_steps=900, n_min=3), group(values[:4]))
    assert short.verdict is Verdict.INCONCLUSIVE
    assert "needs 3 and up to env step 1000" in short.reason


def test_every_run_must_hold_and_the_reason_says_what_that_proves() -> None:
    found = judge(CHECK, group(*[HELD] * 10))
    assert "10 of 10 runs held (95 % sure that at least 74% of seeds do)" in found.reason
    lost = judge(CHECK, group(*[HELD] * 9, [500, 9, 9, 9]))
    assert lost.verdict is Verdict.FAIL
    assert "9 of 10 runs held" in lost.reason
    assert "not run-9: worst 9" in lost.reason
    assert lost.numbers["sure_share"] == pytest.approx(0.652, abs=1e-3)  # Wilson's bound
    assert judge(CHECK, group([500, 9, 9])).numbers["sure_share"] == 0


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_bad_values_fail(bad: float) -> None:
    assert judge(CHECK, group([*HELD, bad])).verdict is Verdict.FAIL


@pytest.mark.parametrize("candidate", [SeedGroup(runs=()), group([]), group(HELD, key="other"), group(HELD, [])])
def test_nothing_is_no_data(candidate: SeedGroup) -> None:
    assert judge(CHECK, candidate).verdict is Verdict.NO_DATA


def test_evaluations_without_steps_are_no_data() -> None:
    stepless = SeedGroup(runs=(run_from_records([{SCORE: 500.0}] * 9, name="x"),))
    assert "x does not say at which step" in judge(CHECK, stepless).reason


def test_one_evaluation_cannot_hold() -> None:
    assert judge(CHECK, group([500])).verdict is Verdict.INCONCLUSIVE
    assert judge(CHECK, group([9])).verdict is Verdict.FAIL


def test_a_metric_without_direction_is_an_error() -> None:
    assert judge(Hold(key="my/own", level=1, keep=1), group(HELD, key="my/own")).verdict is Verdict.ERROR


def test_to_keep_more_than_was_reached_is_refused() -> None:
    with pytest.raises(ConfigError, match="keep: must not be beyond level, which is 1, got 2"):
        Hold(level=1, keep=2).judge(Evidence(candidate=group(HELD)))
    with pytest.raises(ConfigError, match="keep"):
        Hold(key=SCORE, level=2, keep=1).judge(Evidence(candidate=group(HELD), directions={SCORE: "lower"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": NAN},
        {"keep": INF},
        {"quantile": 1},
        {"misses": -1},
        {"n_min": 0},
        {"by_env_steps": 0},
        {"for_env_steps": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Hold(**{"level": 1.0, "keep": 1.0, **wrong})
