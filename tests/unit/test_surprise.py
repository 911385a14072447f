"""Surprise is measured against the running average, fades, and gives the world model precedence for a while."""

import json
import math

import pytest

from dreamer_core.config.tree import SurpriseConfig
from dreamer_core.training.surprise import Surprise

SEED_NAMES = {
    "wm.surprise.ready",
    "wm.surprise.total_log_ratio",
    "wm.surprise.max_component_log_ratio",
    "wm.surprise.reward_log_ratio",
    "wm.surprise.continue_log_ratio",
    "wm.surprise.observation_log_ratio",
    "wm.surprise.kl_dyn_log_ratio",
    "wm.surprise.kl_rep_log_ratio",
    "wm.surprise.smoothed",
    "ac.lr_scale",
    "ac.wm_focus_active",
    "ac.wm_focus_cooldown",
}


def losses(total: float, *, reward: float = 1.0, kl: float = 1.0) -> dict[str, float]:
    return {
        "Loss/world_model_loss": total,
        "Loss/observation_loss": 1.0,
        "Loss/reward_loss": reward,
        "Loss/continue_loss": 1.0,
        "State/kl": kl,
        "Loss/policy_loss": 123.0,  # nothing of the world model
    }


def make(**changes: float | bool) -> Surprise:
    return Surprise(SurpriseConfig(enabled=True, **changes))  # type: ignore[arg-type]


def focus_after_each(surprise: Surprise, totals: list[float]) -> list[bool]:
    focusing = []
    for total in totals:
        surprise.observe(losses(total))
        focusing.append(surprise.is_focusing)
    return focusing


def test_nothing_is_surprising_before_there_is_an_average() -> None:
    surprise = make()
    assert not surprise.is_ready
    assert surprise.metrics["wm.surprise.ready"] == 0.0
    assert "wm.surprise.total_log_ratio" not in surprise.metrics
    surprise.observe(losses(5.0))
    assert surprise.metrics["wm.surprise.ready"] == 1.0
    assert surprise.metrics["wm.surprise.total_log_ratio"] == 0.0


def test_the_metrics_bear_the_seeds_names() -> None:
    surprise = make()
    surprise.observe(losses(5.0))
    assert set(surprise.metrics) == SEED_NAMES


def test_the_log_ratio_compares_a_loss_with_the_average_of_those_before_it() -> None:
    surprise = make(ema_beta=0.75)
    surprise.observe(losses(4.0))
    surprise.observe(losses(8.0))
    assert surprise.log_ratios["total"] == pytest.approx(math.log(8 / 4))
    surprise.observe(losses(10.0))  # the average is now 0.75 * 4 + 0.25 * 8 = 5
    assert surprise.log_ratios["total"] == pytest.approx(math.log(10 / 5))


def test_components_are_averaged_on_the_clock_of_the_total() -> None:
    surprise = make(ema_beta=0.5)
    for value in (1.0, 3.0, 8.0):
        surprise.observe(losses(value, reward=value))
    assert surprise.averages["reward"] == surprise.averages["total"] == 5.0  # (1 + 3) / 2 = 2, (2 + 8) / 2 = 5


def test_the_worst_component_is_named_by_its_size() -> None:
    surprise = make()
    surprise.observe(losses(1.0))
    surprise.observe(losses(9.0, reward=3.0, kl=7.0))
    assert surprise.metrics["wm.surprise.max_component_log_ratio"] == pytest.approx(math.log(7))
    assert surprise.metrics["wm.surprise.reward_log_ratio"] == pytest.approx(math.log(3))
    assert surprise.metrics["wm.surprise.continue_log_ratio"] == 0.0


def test_a_loss_of_zero_is_a_finite_surprise() -> None:
    surprise = make()
    surprise.observe(losses(1.0))
    surprise.observe(losses(0.0))
    assert surprise.log_ratios["total"] == pytest.approx(math.log(1e-8))


def test_a_loss_below_zero_counts_as_zero() -> None:
    surprise = make()
    surprise.observe(losses(1.0))
    surprise.observe(losses(-5.0))
    assert surprise.log_ratios["total"] == pytest.approx(math.log(1e-8))


def test_a_nan_is_left_out_and_does_not_stay_in_the_average() -> None:
    surprise = make()
    surprise.observe(losses(2.0))
    surprise.observe(losses(math.nan, reward=math.inf))
    assert "wm.surprise.total_log_ratio" not in surprise.metrics
    assert "wm.surprise.reward_log_ratio" not in surprise.metrics
    surprise.observe(losses(4.0))
    assert surprise.log_ratios["total"] == pytest.approx(math.log(2))


def test_smoothed_surprise_rises_at_once_and_fades_by_a_tenth_per_update() -> None:
    surprise = make(ema_beta=0.0)  # compare with the loss just before
    for total in (1.0, math.e, 1.0, 1.0):
        surprise.observe(losses(total))
    assert surprise.smoothed == pytest.approx(0.9 * 0.9)


def test_surprise_slows_the_actor_and_critic_only_when_asked_to() -> None:
    slowed, untouched = make(ema_beta=0.0, scale_ac_lr=True, lr_scale_k=10.0), make(ema_beta=0.0)
    for surprise in (slowed, untouched):
        surprise.observe(losses(1.0))
        surprise.observe(losses(math.exp(0.1)))
    assert slowed.ac_lr_scale == pytest.approx(1 / (1 + 10 * 0.1))
    assert untouched.ac_lr_scale == 1.0


def test_focus_lasts_its_duration_and_cannot_start_again_during_the_cooldown() -> None:
    surprise = make(ema_beta=0.0, wm_focus=True, wm_focus_threshold=0.5, wm_focus_duration=3, wm_focus_cooldown=2)
    doubling = [2.0**n for n in range(13)]  # each loss is a surprise of ln 2 = 0.69
    # The first is no surprise. Then three updates of focus, two of cooldown, and again.
    expected = [False, *([True] * 3 + [False] * 2) * 2, True, True]
    assert focus_after_each(surprise, doubling) == expected


def test_without_a_cooldown_focus_may_follow_focus() -> None:
    surprise = make(ema_beta=0.0, wm_focus=True, wm_focus_threshold=0.5, wm_focus_duration=2, wm_focus_cooldown=0)
    assert focus_after_each(surprise, [1.0, 2.0, 4.0, 8.0, 16.0]) == [False, True, True, True, True]


def test_a_surprise_below_the_threshold_starts_no_focus() -> None:
    surprise = make(ema_beta=0.0, wm_focus=True, wm_focus_threshold=0.7)
    assert focus_after_each(surprise, [1.0, 2.0, 4.0]) == [False, False, False]


def test_the_metrics_show_focus_and_cooldown() -> None:
    surprise = make(ema_beta=0.0, wm_focus=True, wm_focus_duration=2, wm_focus_cooldown=7)
    shown = []
    for total in (1.0, 2.0, 2.0, 2.0, 2.0):
        surprise.observe(losses(total))
        shown.append((surprise.metrics["ac.wm_focus_active"], surprise.metrics["ac.wm_focus_cooldown"]))
    assert shown == [(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.0, 7.0), (0.0, 6.0)]


@pytest.mark.parametrize("saved_after", range(1, 12))
def test_a_restored_surprise_goes_on_as_if_it_had_never_stopped(saved_after: int) -> None:
    changes = {"wm_focus": True, "scale_ac_lr": True, "wm_focus_duration": 3, "wm_focus_cooldown": 2, "ema_beta": 0.5}
    totals = [1.0, 2.0, 1.5, 4.0, 3.0, 9.0, 1.0, 1.0, 5.0, 2.0, 8.0, 8.0]
    straight, first, second = make(**changes), make(**changes), make(**changes)
    focus_after_each(straight, totals)
    focus_after_each(first, totals[:saved_after])
    second.restore(json.loads(json.dumps(first.state())))
    assert second.metrics == first.metrics
    focus_after_each(second, totals[saved_after:])
    assert second.metrics == straight.metrics
