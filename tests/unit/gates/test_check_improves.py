"""improves: enough of a drop, and a trend that is no accident."""

from typing import Any

import numpy as np
import pytest

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks.improves import Improves
from dreamer_core.gates.group import SeedGroup
from dreamer_core.gates.verdict import Verdict
from tests.unit.gates.values import INF, LOSS, NAN, SCORE, group, judge, run

FALLING = [10.0 - 0.5 * step for step in range(12)]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (FALLING, Verdict.PASS),
        (FALLING[::-1], Verdict.FAIL),
        ([10.0 - 0.1 * step for step in range(12)], Verdict.FAIL),  # steady, but only 11 %
        ([10.0] * 12, Verdict.FAIL),
        ([10.0, *[7.0, 9.0] * 5, 7.0], Verdict.INCONCLUSIVE),  # the ends differ, but there is no trend
        ([-10.0 - step for step in range(12)], Verdict.PASS),  # below zero, lower is still better
    ],
)
def test_a_loss_must_come_down(values: list[float], verdict: Verdict) -> None:
    assert judge(Improves(), group(values, key=LOSS)).verdict is verdict


def test_a_score_must_go_up() -> None:
    assert judge(Improves(key=SCORE), group([10.0 + step for step in range(12)])).verdict is Verdict.PASS
    found = judge(Improves(key=SCORE), group(FALLING))
    assert found.verdict is Verdict.FAIL
    assert "rose -55.0% from 10 to 4.5, needs +25.0%" in found.reason


def test_only_the_first_updates_count_if_it_is_said() -> None:
    updates = [float(step) for step in range(1, 25)]
    candidate = SeedGroup(runs=(run({LOSS: FALLING + [50.0] * 12, "train_steps": updates}),))
    assert judge(Improves(first_updates=12), candidate).verdict is Verdict.PASS
    assert judge(Improves(), candidate).verdict is Verdict.FAIL
    without = judge(Improves(first_updates=12), group(FALLING, key=LOSS))
    assert without.verdict is Verdict.NO_DATA
    assert "0 values in the first 12 updates" in without.reason


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_bad_values_fail(bad: float) -> None:
    assert judge(Improves(), group([*FALLING, bad], key=LOSS)).verdict is Verdict.FAIL


@pytest.mark.parametrize("candidate", [SeedGroup(runs=()), group([], key=LOSS), group([3.0], key=LOSS)])
def test_too_little_is_no_data(candidate: SeedGroup) -> None:
    assert judge(Improves(), candidate).verdict is Verdict.NO_DATA


def test_from_zero_there_is_no_share_to_drop_by() -> None:
    found = judge(Improves(), group([0.0 - step for step in range(12)], key=LOSS))
    assert found.verdict is Verdict.NO_DATA
    assert "begins at 0" in found.reason


def test_every_run_must_improve() -> None:
    found = judge(Improves(), group(FALLING, [10.0] * 12, FALLING[::-1], key=LOSS))
    assert (found.verdict, found.numbers["run"]) == (Verdict.FAIL, "run-2")


def test_a_metric_without_direction_is_an_error() -> None:
    found = judge(Improves(key="State/kl"), group(FALLING, key="State/kl"))
    assert found.verdict is Verdict.ERROR
    assert judge(
        Improves(key="State/kl"), group(FALLING, key="State/kl"), directions={"State/kl": "lower"}
    ).verdict.is_green


def test_ten_thousand_points_are_thinned_first() -> None:
    found = judge(Improves(), group(list(np.linspace(10, 1, 10_000)), key=LOSS))
    assert (found.verdict, found.numbers["n"]) == (Verdict.PASS, 200)


@pytest.mark.parametrize("wrong", [{"min_drop": 0}, {"p": 0}, {"first_updates": 0}, {"n_min": 4}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Improves(**wrong)
