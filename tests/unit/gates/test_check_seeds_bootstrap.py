"""seeds_bootstrap: seeds against seeds, with three answers and the number of seeds that would turn the third one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.checks.seeds_bootstrap import SeedsBootstrap
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.series import Window
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, baseline, flat, group, judge, run

CHECK = SeedsBootstrap()


def blessed(*levels: float, key: str = SCORE) -> Baseline:
    return baseline(group(*flat(*levels), key=key))


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((100, 101, 99, 100), Verdict.PASS),
        ((140, 139, 141, 140), Verdict.IMPROVED),
        ((60, 61, 59, 60), Verdict.FAIL),
        ((90, 91, 89, 90), Verdict.INCONCLUSIVE),  # on the margin
        ((10, 190, 100, 95), Verdict.INCONCLUSIVE),  # too noisy
    ],
)
def test_three_answers(after: tuple[float, ...], verdict: Verdict) -> None:
    assert judge(CHECK, group(*flat(*after)), blessed(100, 101, 99, 100)).verdict is verdict


def test_lower_may_be_better() -> None:
    before = blessed(100, 101, 99, 100, key=LOSS)
    check = SeedsBootstrap(keys=(LOSS,))
    assert judge(check, group(*flat(60, 61, 59, 60), key=LOSS), before).verdict is Verdict.IMPROVED
    assert judge(check, group(*flat(140, 139, 141, 140), key=LOSS), before).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("before", "after"), [((100.0,), (10.0,)), ((100, 99, 98), (1, 2, 3)), ((9, 9, 9, 9, 9), (1, 1, 1))]
)
def test_fewer_than_four_seeds_a_side_are_inconclusive(before: tuple[float, ...], after: tuple[float, ...]) -> None:
    found = judge(CHECK, group(*flat(*after)), blessed(*before))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "seeds on each side would decide it" in found.reason
    assert found.comparison is None
    assert f"{len(after)} against {len(before)} seeds" in found.reason


def test_the_number_of_seeds_grows_with_the_noise() -> None:
    found = judge(CHECK, group(*flat(70, 100, 130)), blessed(75, 100, 125))
    assert "114 seeds on each side would decide it" in found.reason


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_one_seed_that_is_not_finite_fails(bad: float) -> None:
    after = group(*flat(100, 100, 100), [100, bad, 100, 100])
    found = judge(CHECK, after, blessed(100, 100, 100, 100))
    assert found.verdict is Verdict.FAIL
    assert "seed 3" in found.reason


def test_a_baseline_that_is_not_finite_lets_nobody_through() -> None:
    before = blessed(100, 100, 100, 100)
    stats = before.metrics[SCORE]
    broken = replace(stats, runs=(replace(stats.runs[0], median=NAN), *stats.runs[1:]))
    found = judge(CHECK, group(*flat(100, 100, 100, 100)), replace(before, metrics={SCORE: broken}))
    assert found.verdict is Verdict.NO_DATA


@pytest.mark.parametrize(
    "after", [SeedGroup(runs=()), group([]), group(*flat(1.0), key="other"), group(*flat(100, 100, 100), [])]
)
def test_a_seed_without_numbers_is_not_dropped(after: SeedGroup) -> None:
    assert judge(CHECK, after, blessed(100, 100, 100, 100)).verdict is Verdict.NO_DATA


def test_of_a_zero_baseline_no_share_can_be_lost() -> None:
    before, after = blessed(0, 0, 0, 0), group(*flat(0, 0, 0, 0))
    found = judge(CHECK, after, before)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "set margin_abs" in found.reason
    assert judge(SeedsBootstrap(margin_abs=0.5), after, before).verdict is Verdict.PASS


def test_another_family_or_no_baseline_is_no_data() -> None:
    after = group(*flat(1, 1, 1, 1), family="b")
    assert "there is no baseline" in judge(CHECK, after).reason
    found = judge(CHECK, after, baseline(group(*flat(1, 1, 1, 1), family="a")))
    assert found.verdict is Verdict.NO_DATA
    assert "not comparable: family a of the baseline, b of the candidate" in found.reason


def test_two_runs_of_one_seed_are_not_two_seeds() -> None:
    twice = SeedGroup(runs=tuple(run({SCORE: [1.0] * 4}, 3, name=name) for name in "abcd"))
    assert "the candidate has seed 3 more than once" in judge(CHECK, twice, blessed(1, 1, 1, 1)).reason
    assert "the baseline has seed 3 more than once" in judge(CHECK, group(*flat(1, 1, 1, 1)), baseline(twice)).reason


def test_the_same_steps_are_compared() -> None:
    """The candidate went on for longer and got worse; at matching steps it is as good."""
    after = group(*[[100, 100, 100, 100, 1, 1, 1, 1]] * 4)
    assert judge(CHECK, after, blessed(100, 100, 100, 100)).verdict is Verdict.PASS
    of_summary = replace(blessed(100, 100, 100, 100), input_kind="json")
    assert judge(SeedsBootstrap(window=Window(last=4)), after, of_summary).verdict is Verdict.FAIL


def test_equal_runs_have_equal_areas_even_when_they_are_thinned() -> None:
    columns = [[float(100 + (step * seed) % 7) for step in range(1000)] for seed in range(1, 5)]
    found = judge(SeedsBootstrap(measure="auc"), group(*columns), baseline(group(*columns)))
    assert found.comparison is not None
    assert found.comparison.difference == 0
    assert found.verdict is Verdict.PASS


def test_the_area_sees_slow_learning() -> None:
    quick, slow = (
        [[0.0, *[100.0 + seed] * 19] for seed in range(4)],
        [[0.0] * 15 + [100.0 + seed] * 5 for seed in range(4)],
    )
    found = judge(SeedsBootstrap(measure="auc"), group(*slow), baseline(group(*quick)))
    assert found.verdict is Verdict.FAIL
    assert "mean height over env steps 100..2000" in found.reason
    assert judge(CHECK, group(*slow), baseline(group(*quick), window=Window(last=4))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((1, 2, 1, 2), Verdict.IMPROVED),
        ((14, 15, 16, 14), Verdict.FAIL),
        ((99, 99, 99, 99), Verdict.FAIL),
    ],
)
def test_fewer_steps_to_a_level_are_better(after: tuple[int, ...], verdict: Verdict) -> None:
    def reached(*at: int) -> SeedGroup:
        return group(*[[0.0] * min(one, 20) + [100.0] * (20 - one) for one in at])

    check = SeedsBootstrap(measure="steps_to", level=90)
    found = judge(check, reached(*after), baseline(reached(8, 9, 8, 9)))
    assert found.verdict is verdict
    assert "env steps to 90" in found.reason


@pytest.mark.parametrize(
    ("check", "after", "why"),
    [
        (SeedsBootstrap(measure="auc"), group(*flat(1, 1, 1, 1, length=1)), "no two steps in common"),
        (SeedsBootstrap(measure="steps_to", level=999), group(*flat(1, 1, 1, 1)), "no run of either side reached 999"),
        (SeedsBootstrap(measure="steps_to", level=1), group(*flat(1)), "need two runs on each side"),
    ],
)
def test_curves_that_cannot_be_measured_are_no_data(check: SeedsBootstrap, after: SeedGroup, why: str) -> None:
    found = judge(check, after, blessed(1, 1, 1, 1))
    assert found.verdict is Verdict.NO_DATA
    assert why in found.reason


@pytest.mark.parametrize("check", [SeedsBootstrap(measure="auc"), SeedsBootstrap(measure="steps_to", level=1)])
def test_curves_need_steps_and_a_baseline_that_holds_them(check: SeedsBootstrap) -> None:
    stepless = SeedGroup(runs=tuple(run_from_records([{SCORE: 1.0}], name=str(seed), seed=seed) for seed in range(4)))
    assert "do not say at which step" in judge(check, stepless, blessed(1, 1, 1, 1)).reason
    assert "holds no curve" in judge(check, group(*flat(1)), replace(blessed(1), metrics={})).reason


def test_tasks_are_put_on_one_scale() -> None:
    """One task is about 1000 and the other about 1: both lose a third."""

    def tasks(*factors: float) -> SeedGroup:
        return SeedGroup(
            runs=tuple(
                run({SCORE: [level * factor * (1 + 0.01 * seed)] * 4}, seed, task=task, name=f"{task}-{seed}")
                for task, level, factor in zip(("big", "small"), (1000.0, 1.0), factors, strict=True)
                for seed in range(4)
            )
        )

    before = baseline(tasks(1.0, 1.0))
    assert judge(CHECK, tasks(1.0, 1.0), before).verdict is Verdict.PASS
    assert judge(CHECK, tasks(0.66, 0.66), before).verdict is Verdict.FAIL
    assert "cannot be put on one scale" in judge(CHECK, tasks(1.0, 1.0), baseline(tasks(1.0, 0.0))).reason


def test_tasks_must_be_the_same() -> None:
    def of(task: str) -> SeedGroup:
        return SeedGroup(runs=tuple(run({SCORE: [1.0] * 4}, seed, task=task) for seed in range(4)))

    assert "tasks differ: ['a'] / ['b']" in judge(CHECK, of("b"), baseline(of("a"))).reason


def test_patterns_give_a_result_for_each_metric_and_a_missing_one_is_missed() -> None:
    before = baseline(
        SeedGroup(runs=tuple(run({LOSS: [1.0] * 4, "Loss/state_loss": [1.0] * 4}, seed) for seed in range(4)))
    )
    results = SeedsBootstrap(keys=("Loss/*",)).judge(
        Evidence(candidate=group(*flat(1, 1, 1, 1), key=LOSS), baseline=before)
    )
    assert {one.key: one.verdict for one in results} == {LOSS: Verdict.PASS, "Loss/state_loss": Verdict.NO_DATA}
    assert judge(SeedsBootstrap(keys=("no*",)), group(*flat(1)), before).verdict is Verdict.NO_DATA
    assert judge(SeedsBootstrap(keys=("no*",)), group(*flat(1))).verdict is Verdict.NO_DATA


def test_a_metric_that_only_the_candidate_has_is_no_data() -> None:
    found = judge(SeedsBootstrap(keys=(LOSS,)), group(*flat(1, 1, 1, 1), key=LOSS), blessed(1, 1, 1, 1))
    assert "the baseline blessed v1 does not have it" in found.reason


def test_a_metric_without_direction_is_an_error() -> None:
    found = judge(SeedsBootstrap(keys=("my/own",)), group(*flat(1), key="my/own"), blessed(1, key="my/own"))
    assert found.verdict is Verdict.ERROR
    assert "directions" in found.reason


def test_the_numbers_can_be_drawn() -> None:
    found = judge(CHECK, group(*flat(100, 101, 99, 100)), blessed(100, 101, 99, 100))
    assert found.numbers["baseline_scores"] == {"": [99, 100, 100, 101]}
    assert found.comparison is not None
    assert found.comparison.low <= found.comparison.difference <= found.comparison.high


def test_the_same_numbers_give_the_same_result() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(100, 20, (6, 9)).tolist()
    before = baseline(group(*columns))
    after = group(*rng.normal(95, 20, (6, 9)).tolist())
    assert judge(CHECK, after, before) == judge(CHECK, after, before)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"keys": ()}, "keys"),
        ({"level": 1.0}, "level"),
        ({"measure": "steps_to"}, "level"),
        ({"margin_pct": -0.1}, "margin_pct"),
        ({"margin_pct": 0.0}, "margin"),
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": 0.5}, "alpha"),
        ({"n_min": 0}, "n_min"),
        ({"rng_seed": -1}, "rng_seed"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        SeedsBootstrap(**wrong)
