"""threshold_median: the seed's rule, with a direction for every metric and no way to pass by accident."""

from typing import Any

import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import Facts, SeedGroup
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, baseline, flat, group, judge, run, summary

CHECK = ThresholdMedian()


@pytest.mark.parametrize(
    ("key", "after", "verdict"),
    [
        (LOSS, 10.0, Verdict.PASS),
        (LOSS, 11.5, Verdict.PASS),  # exactly at the limit
        (LOSS, 11.6, Verdict.FAIL),
        (LOSS, 8.6, Verdict.PASS),
        (LOSS, 8.0, Verdict.IMPROVED),
        (SCORE, 8.5, Verdict.PASS),
        (SCORE, 8.4, Verdict.FAIL),
        (SCORE, 11.6, Verdict.IMPROVED),
        ("State/kl", 11.6, Verdict.FAIL),  # neither way is better: it may not move
        ("State/kl", 8.4, Verdict.FAIL),
        ("my/own", 8.4, Verdict.FAIL),  # nobody knows its direction
    ],
)
def test_each_metric_has_its_direction(key: str, after: float, verdict: Verdict) -> None:
    assert judge(CHECK, group(*flat(after), key=key), baseline(group(*flat(10.0), key=key))).verdict is verdict


def test_two_sided_fails_what_got_better() -> None:
    found = judge(ThresholdMedian(two_sided=True), group(*flat(5.0), key=LOSS), baseline(group(*flat(10.0), key=LOSS)))
    assert found.verdict is Verdict.FAIL
    assert "either way counts" in found.reason


def test_the_gate_may_say_the_direction() -> None:
    before, after = baseline(group(*flat(10.0), key="my/own")), group(*flat(20.0), key="my/own")
    assert judge(CHECK, after, before, directions={"my/own": "higher"}).verdict is Verdict.IMPROVED
    assert judge(CHECK, after, before, directions={"my/own": "lower"}).verdict is Verdict.FAIL


@pytest.mark.parametrize(("bad", "word"), [(NAN, "NaN"), (INF, "+Inf"), (-INF, "-Inf")])
def test_one_bad_value_among_good_ones_fails(bad: float, word: str) -> None:
    found = judge(CHECK, group([10, 10, bad, 10]), baseline(group(*flat(10.0))))
    assert found.verdict is Verdict.FAIL
    assert f"{word} at env step 300 of seed 0 (run-0)" in found.reason


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (SeedGroup(runs=()), "has no runs"),
        (group([]), "has 0 values"),
        (group([10.0]), "has 1 value in env steps 50..450, needs 3; the whole run has 1 record"),
        (group(*flat(10.0), key="other"), "has 0 values"),
        (SeedGroup(runs=(run({SCORE: [10.0] * 4}, 0), run({LOSS: [1.0] * 4}, 1))), "seed 1 (run-1) has 0 values"),
    ],
)
def test_too_little_is_no_data(after: SeedGroup, why: str) -> None:
    found = judge(CHECK, after, baseline(group(*flat(10.0))))
    assert found.verdict is Verdict.NO_DATA
    assert why in found.reason


def test_how_much_is_enough_can_be_said() -> None:
    before = baseline(group(*flat(10.0)))
    assert judge(ThresholdMedian(n_min=1), group([10.0]), before).verdict is Verdict.PASS
    assert judge(ThresholdMedian(n_min=5), group(*flat(10.0)), before).verdict is Verdict.NO_DATA


def test_a_summary_needs_one_value() -> None:
    assert judge(CHECK, summary(mean_return=9.0), baseline(summary(mean_return=10.0))).verdict is Verdict.PASS


@pytest.mark.parametrize(("after", "verdict"), [(0.0, Verdict.PASS), (0.125, Verdict.IMPROVED), (-0.1, Verdict.FAIL)])
def test_a_baseline_of_zero_is_judged_by_direction(after: float, verdict: Verdict) -> None:
    before = baseline(summary(success_rate=0.0))
    assert judge(CHECK, summary(success_rate=after), before).verdict is verdict


def test_of_a_baseline_of_zero_no_share_is_said() -> None:
    before, after = baseline(summary(success_rate=0.0)), summary(success_rate=0.125)
    assert judge(CHECK, after, before).reason.startswith("success_rate: 0 -> 0.125 (0.125; higher is better), allowed")
    unchanged = judge(CHECK, summary(success_rate=0.0), before)
    assert unchanged.reason.startswith("success_rate: 0 -> 0 (0, +0.0%; higher is better)")


def test_an_absolute_tolerance_forgives_small_changes_near_zero() -> None:
    before = baseline(group(*flat(0.001), key=LOSS))
    assert judge(ThresholdMedian(abs_tol=0.01), group(*flat(0.009), key=LOSS), before).verdict is Verdict.PASS
    assert judge(ThresholdMedian(abs_tol=0.0), group(*flat(0.0), key=LOSS), before).verdict is Verdict.IMPROVED


def test_no_tolerance_at_all_still_lets_equal_numbers_pass() -> None:
    check = ThresholdMedian(threshold_pct=0.0, abs_tol=0.0)
    before = baseline(group(*flat(0.0), key=LOSS))
    assert judge(check, group(*flat(0.0), key=LOSS), before).verdict is Verdict.PASS
    assert judge(check, group(*flat(1e-9), key=LOSS), before).verdict is Verdict.FAIL


def test_another_family_is_not_comparable_and_the_reason_says_what_differs() -> None:
    before = baseline(group(*flat(10.0), family="aaa", preset="nature", env="CartPole-v1"))
    found = judge(CHECK, group(*flat(10.0), family="bbb", preset="sheeprl", env="CartPole-v1"), before)
    assert found.verdict is Verdict.NO_DATA
    assert "family aaa of the baseline, bbb of the candidate; they differ in preset nature / sheeprl" in found.reason


def test_speed_of_another_machine_is_not_comparable() -> None:
    before = baseline(group(*flat(100.0), key="sps", testbed={"cpu": "A", "threads": "1"}))
    found = judge(CHECK, group(*flat(100.0), key="sps", testbed={"cpu": "B", "threads": "1"}), before)
    assert found.verdict is Verdict.NO_DATA
    assert "not comparable: speed on different testbeds, cpu A / B" in found.reason
    same = group(*flat(100.0), key="sps", testbed={"cpu": "A", "threads": "1"})
    assert judge(CHECK, same, before).verdict is Verdict.PASS


def test_losses_may_be_compared_across_machines() -> None:
    before = baseline(group(*flat(10.0), key=LOSS, testbed={"cpu": "A"}))
    assert judge(CHECK, group(*flat(10.0), key=LOSS, testbed={"cpu": "B"}), before).verdict is Verdict.PASS


def test_without_a_baseline_there_is_no_data() -> None:
    assert judge(CHECK, group(*flat(10.0))).verdict is Verdict.NO_DATA


def test_metrics_that_the_baseline_lacks_are_missed() -> None:
    before = baseline(group(*flat(10.0)))
    named = judge(ThresholdMedian(keys=("nope",)), group(*flat(10.0)), before)
    assert (named.verdict, named.key) == (Verdict.NO_DATA, "nope")
    assert "the baseline blessed v1 does not have it" in named.reason
    none = judge(ThresholdMedian(keys=("Loss/*",)), group(*flat(10.0)), before)
    assert "none of the metrics asked for" in none.reason


def test_a_baseline_that_is_nan_lets_nobody_through() -> None:
    before = baseline(group(*flat(10.0)))
    stats = before.metrics[SCORE]
    broken = type(before)(**{**vars(before), "metrics": {SCORE: type(stats)(**{**vars(stats), "median": NAN})}})
    assert judge(CHECK, group(*flat(10.0)), broken).verdict is Verdict.NO_DATA


def test_matching_steps_are_compared_and_of_them_the_last() -> None:
    before = baseline(group([1, 2, 3, 4, 5, 6]), window=Window(env_steps_min=200, env_steps_max=500))
    after = group([99, 2, 3, 4, 5, 99])
    assert judge(CHECK, after, before).numbers["current"] == 3
    last = judge(ThresholdMedian(window=Window(last=3)), after, before)
    assert last.numbers["current"] == 4
    assert "env steps 200..500, the last 3 records" in last.reason


def test_later_steps_are_no_data() -> None:
    late = SeedGroup(runs=(run({SCORE: [10.0] * 9}),)).within(Window(env_steps_min=600), [SCORE])
    found = judge(CHECK, late, baseline(group(*flat(10.0))))
    assert found.verdict is Verdict.NO_DATA
    assert "0 values in env steps 50..450, needs 3; the whole run has 4 records, env steps 600..900" in found.reason


def test_the_middle_seed_counts() -> None:
    found = judge(CHECK, group(*flat(10.0, 1.0, 12.0)), baseline(group(*flat(10.0, 10.0))))
    assert (found.verdict, found.numbers["current"]) == (Verdict.PASS, 10.0)
    assert found.numbers["per_run"] == {"run-0": 10.0, "run-1": 1.0, "run-2": 12.0}


def test_the_reason_has_every_number_to_argue_with() -> None:
    found = judge(CHECK, group(*flat(8.0), key=LOSS), baseline(group(*flat(10.0), key=LOSS)))
    assert found.reason == (
        f"{LOSS}: 10 -> 8 (-2, -20.0%; lower is better), allowed 15.0% or 1e-06; "
        "median of 4 values of 1 run in env steps 50..450, against 4 values"
    )


def test_numbers_at_the_end_of_the_range_do_not_pass() -> None:
    found = judge(CHECK, group(*flat(-1e308), key=SCORE), baseline(group(*flat(1e308), key=SCORE)))
    assert found.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "wrong", [{"threshold_pct": -0.1}, {"threshold_pct": INF}, {"threshold_pct": NAN}, {"abs_tol": -1}, {"n_min": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ThresholdMedian(**wrong)


def test_every_metric_of_the_baseline_gets_a_result() -> None:
    before = baseline(SeedGroup(runs=(run({LOSS: [1.0] * 4, SCORE: [2.0] * 4}, facts=Facts()),)))
    results = CHECK.judge(Evidence(candidate=group(*flat(2.0)), baseline=before))
    assert [(one.key, one.verdict) for one in results] == [(LOSS, Verdict.NO_DATA), (SCORE, Verdict.PASS)]
