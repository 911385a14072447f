"""What each update trains, counted update by update."""

import json
from typing import Any

import pytest

from dreamer_core.config.tree import Mode, SurpriseConfig, TrainConfig
from dreamer_core.training.learner import Plan
from dreamer_core.training.schedule import Controller


def make(mode: Mode = "train", **changes: Any) -> Controller:
    return Controller(TrainConfig(**changes), mode)


def actor_turns(controller: Controller, updates: int) -> list[int]:
    """The updates that train the actor and critic."""
    return [update for update in range(updates) if controller.plan(update).actor_critic]


def run(controller: Controller, totals: list[float], *, start: int = 0) -> list[Plan]:
    plans = []
    for update, total in enumerate(totals, start):
        plans.append(controller.plan(update))
        controller.observe({"Loss/world_model_loss": total})
    return plans


def test_by_default_every_update_trains_everything_at_full_speed() -> None:
    controller = make()
    assert [controller.plan(update) for update in range(5)] == [Plan()] * 5
    assert controller.metrics == {}


def test_a_ratio_of_four_really_is_one_actor_update_in_four() -> None:
    turns = actor_turns(make(wm_ac_ratio=4), 400)
    assert turns == list(range(3, 400, 4))
    assert len(turns) == 100


def test_the_world_model_trains_in_every_update_whatever_the_ratio() -> None:
    controller = make(wm_ac_ratio=4, actor_warmup_updates=3)
    assert all(controller.plan(update).world_model for update in range(20))


def test_the_actor_waits_for_the_end_of_the_warm_up() -> None:
    assert actor_turns(make(actor_warmup_updates=5), 8) == [5, 6, 7]
    assert actor_turns(make(actor_warmup_updates=5, wm_ac_ratio=2), 11) == [6, 8, 10]


def test_the_cosine_ratio_goes_from_its_maximum_to_its_minimum() -> None:
    controller = make(wm_ac_ratio_cosine=True, wm_ac_ratio_max=8, wm_ac_ratio_min=2, schedule_updates=100)
    # 2 + 6 * (1 + cos(pi * p)) / 2 at p = 0, 1/4, 1/2, 3/4, 1: 8, 7.12, 5, 2.88, 2
    assert [controller.ratio(update) for update in (0, 25, 50, 75, 100, 5000)] == [8, 7, 5, 3, 2, 2]


def test_an_inverted_cosine_ratio_goes_the_other_way() -> None:
    controller = make(
        wm_ac_ratio_cosine=True,
        wm_ac_ratio_max=8,
        wm_ac_ratio_min=2,
        wm_ac_ratio_invert=True,
        schedule_updates=100,
    )
    assert [controller.ratio(update) for update in (0, 25, 50, 75, 100)] == [2, 3, 5, 7, 8]


def test_the_cosine_ratio_starts_after_the_warm_up() -> None:
    controller = make(wm_ac_ratio_cosine=True, actor_warmup_updates=40, schedule_updates=100)
    assert (controller.ratio(0), controller.ratio(40), controller.ratio(90), controller.ratio(140)) == (8, 8, 5, 2)


def test_turns_follow_a_ratio_that_changes() -> None:
    controller = make(wm_ac_ratio_cosine=True, wm_ac_ratio_max=3, wm_ac_ratio_min=1, schedule_updates=8)
    # The ratio at updates 0 to 8 is 3 3 3 2 2 2 1 1 1.
    assert actor_turns(controller, 10) == [2, 4, 6, 7, 8, 9]


def test_the_learning_rate_falls_along_a_cosine_to_its_minimum() -> None:
    controller = make(lr_cosine_decay=True, lr_cosine_min_factor=0.2, schedule_updates=10)
    scales = [controller.plan(update).lr_scale for update in range(15)]
    assert scales[0] == 1.0
    assert scales[5] == pytest.approx(0.6)
    assert scales[10:] == pytest.approx([0.2] * 5)
    assert scales == sorted(scales, reverse=True)


def test_the_share_of_the_replay_ratio_falls_along_the_same_cosine_to_its_own_minimum() -> None:
    controller = make(replay_ratio_cosine_decay=True, replay_ratio_cosine_min_factor=0.2, schedule_updates=10)
    # 0.2 + 0.8 * (1 + cos(pi * p)) / 2 at p = 0, 1/2, 1
    assert [controller.replay_ratio_scale(update) for update in (0, 5, 10, 500)] == pytest.approx([1, 0.6, 0.2, 0.2])
    assert controller.lr_scale(10) == make().replay_ratio_scale(10) == 1.0


@pytest.mark.parametrize("mode", ["bootstrap", "standing_still"])
def test_modes_without_an_actor_train_the_world_model_alone(mode: Mode) -> None:
    controller = make(mode)
    assert [controller.plan(update) for update in range(3)] == [Plan(actor_critic=False)] * 3


def test_a_frozen_world_model_leaves_every_update_to_the_actor() -> None:
    controller = make("dreamer", freeze_world_model=True, actor_warmup_updates=50, wm_ac_ratio=4)
    assert [controller.plan(update) for update in range(3)] == [Plan(world_model=False)] * 3


def test_mode_dreamer_needs_no_warm_up_because_the_world_model_comes_trained() -> None:
    assert actor_turns(make("dreamer", actor_warmup_updates=50), 3) == [0, 1, 2]


def test_only_mode_dreamer_freezes() -> None:
    assert make("train", freeze_world_model=True).plan(0) == Plan()


def test_planning_an_update_twice_is_refused() -> None:
    controller = make()
    controller.plan(7)
    with pytest.raises(AssertionError, match="update 7 was planned already"):
        controller.plan(7)


def test_losses_are_wanted_only_where_something_is_done_with_them() -> None:
    assert not make().needs_losses
    assert make(surprise=SurpriseConfig(enabled=True)).needs_losses


def test_losses_nobody_asked_for_change_nothing() -> None:
    controller = make()
    assert run(controller, [1.0, 100.0, 1.0]) == [Plan()] * 3
    assert controller.metrics == {}


def test_a_surprise_slows_the_actor_in_the_next_update() -> None:
    controller = make(surprise=SurpriseConfig(enabled=True, scale_ac_lr=True, lr_scale_k=1.0, ema_beta=0.0))
    plans = run(controller, [1.0, 2.718281828, 2.718281828, 2.718281828])
    assert [plan.ac_lr_scale for plan in plans] == pytest.approx([1.0, 1.0, 1 / 2, 1 / 1.9])
    assert all(plan.lr_scale == 1.0 for plan in plans)


def test_focus_trains_the_actor_once_in_four_updates_for_twenty() -> None:
    controller = make(surprise=SurpriseConfig(enabled=True, wm_focus=True))
    plans = run(controller, [1.0, 5.0] + [1.0] * 40)
    turns = [update for update, plan in enumerate(plans) if plan.actor_critic]
    assert turns == [0, 1, *range(5, 22, 4), *range(22, 42)]  # focus: updates 2 to 21


def test_focus_never_raises_the_share_of_the_actor() -> None:
    config = SurpriseConfig(enabled=True, wm_focus=True, wm_focus_ratio=4)
    controller = make(surprise=config, wm_ac_ratio=6)
    plans = run(controller, [1.0, 5.0] + [1.0] * 22)
    assert [update for update, plan in enumerate(plans) if plan.actor_critic] == [5, 11, 17, 23]


def test_focus_cannot_keep_a_frozen_run_from_training() -> None:
    controller = make("dreamer", freeze_world_model=True, surprise=SurpriseConfig(enabled=True, wm_focus=True))
    assert all(plan.actor_critic for plan in run(controller, [1.0, 50.0, 1.0, 1.0]))
    assert controller.metrics["ac.wm_focus_active"] == 0.0


def test_the_average_starts_anew_when_the_warm_up_ends() -> None:
    controller = make(actor_warmup_updates=3, surprise=SurpriseConfig(enabled=True, wm_focus=True))
    run(controller, [100.0, 50.0, 25.0])
    assert controller.surprise.averages["total"] > 90
    plan = controller.plan(3)
    assert plan.actor_critic
    assert controller.metrics["wm.surprise.ready"] == 0.0


def test_the_metrics_show_the_schedules_that_are_on() -> None:
    controller = make(wm_ac_ratio_cosine=True, lr_cosine_decay=True, lr_cosine_min_factor=0.2, schedule_updates=10)
    controller.plan(10)
    assert controller.metrics == pytest.approx({"train.wm_ac_ratio": 2.0, "train.lr_scale": 0.2})


@pytest.mark.parametrize("saved_after", [1, 2, 3, 7, 12, 20])
def test_a_restored_controller_goes_on_as_if_it_had_never_stopped(saved_after: int) -> None:
    changes: dict[str, Any] = {
        "actor_warmup_updates": 2,
        "wm_ac_ratio": 3,
        "lr_cosine_decay": True,
        "schedule_updates": 30,
        "surprise": SurpriseConfig(enabled=True, wm_focus=True, scale_ac_lr=True, wm_focus_duration=6),
    }
    totals = [1.0, 1.0, 1.0, 2.0, 1.0, 3.0] * 5
    straight, first, second = make(**changes), make(**changes), make(**changes)
    expected = run(straight, totals)
    begun = run(first, totals[:saved_after])
    second.restore(json.loads(json.dumps(first.state())))
    assert begun + run(second, totals[saved_after:], start=saved_after) == expected
    assert second.metrics == straight.metrics
