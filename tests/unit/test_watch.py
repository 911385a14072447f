"""The watch sees what went wrong in the seeds' runs, says it once, and keeps quiet about healthy ones."""

import json
import math
from collections.abc import Iterable
from typing import Any

import pytest

from dreamer_core.config.tree import Config, Mode, SurpriseConfig, TrainConfig
from dreamer_core.training.watch import Best, EarlyStop, Event, Watch

HEALTHY = {
    "updates": 100,
    "actor_updates": 100,
    "State/kl": 4.0,
    "Loss/policy_loss": 0.005,
    "value_mean": 50.0,
    "value_std": 10.0,
    "Rewards/rew_avg": 200.0,
    "action_entropy": 0.4,
    "action_top_fraction": 0.6,
    "update_backlog": 0,
    "replay_ratio_actual": 0.5,
    "replay_ratio_target": 0.5,
    "run_id": "a word",
}


def record(index: int, **changes: Any) -> dict[str, Any]:
    """The record of a healthy run, but for `changes`. A little noise, as there is in life."""
    noise = 1 + 0.05 * math.sin(7 * index)
    noisy = {"State/kl": 4.0 * noise, "Loss/policy_loss": 0.005 * noise, "value_mean": 50.0 * noise}
    steps = {"env_steps": 250 * (index + 1), "train_steps": 100 * (index + 1)}
    return {**HEALTHY, **noisy, **steps, **changes}


def series(key: str, values: Iterable[Any]) -> list[dict[str, Any]]:
    return [record(index, **{key: value}) for index, value in enumerate(values)]


def feed(watch: Watch, records: Iterable[dict[str, Any]]) -> list[Event]:
    return [event for each in records for event in watch.on_record(each)]


def told(events: list[Event]) -> list[tuple[str, int]]:
    """Kinds, and the number of the record."""
    return [(event.kind, event.env_steps // 250 - 1) for event in events]


def watch_for(mode: Mode = "train", **train: Any) -> Watch:
    return Watch(Config(mode=mode, train=TrainConfig(**train)))


def test_a_healthy_run_raises_no_alarm() -> None:
    watch = Watch()
    assert feed(watch, [record(index) for index in range(100)]) == []
    assert [watch.on_eval(step, score) for step, score in enumerate([20.0, 90.0, 80.0, 300.0, 260.0, 500.0])] == [
        []
    ] * 6


def test_a_run_before_its_first_update_raises_no_alarm() -> None:
    bare = {"env_steps": 250, "train_steps": 0, "updates": 0, "actor_updates": 0, "replay_ratio_target": 0.5}
    assert feed(Watch(), [bare] * 50) == []


def test_the_fall_of_an_evaluation_is_told_once_and_so_is_its_end() -> None:
    watch = Watch()
    scores = [20.0, 500.0, 480.0, 323.0, 157.0, 340.0]
    events = [event for index, score in enumerate(scores) for event in watch.on_eval(1000 * (index + 1), score)]
    assert [(event.kind, event.env_steps) for event in events] == [("eval_gap", 4000), ("eval_gap_over", 6000)]
    assert events[0].facts == {"latest": 323.0, "best": 500.0, "best_step": 2000}
    assert events[0].message == "evaluation gives 323; the best was 500 at step 2000"


def test_a_fall_is_measured_by_what_was_gained_where_returns_are_negative() -> None:
    watch = Watch()
    assert watch.on_eval(1, -500.0) + watch.on_eval(2, -80.0) + watch.on_eval(3, -200.0) == []
    assert [event.kind for event in watch.on_eval(4, -260.0)] == ["eval_gap"]  # more than 140 below the best


def test_the_best_evaluation_is_the_first_of_equals() -> None:
    watch = Watch()
    (event,) = watch.on_eval(1000, 500.0) + watch.on_eval(2000, 500.0) + watch.on_eval(3000, 100.0)
    assert event.facts["best_step"] == 1000


def test_an_evaluation_without_a_score_says_nothing() -> None:
    watch = Watch()
    watch.on_eval(1, 500.0)
    assert watch.on_eval(2, math.nan) == []
    assert [event.kind for event in watch.on_eval(3, 100.0)] == ["eval_gap"]
    assert watch.on_eval(4, math.nan) == []
    assert [event.kind for event in watch.on_eval(5, 490.0)] == ["eval_gap_over"]


def test_the_seeds_kl_spike_is_seen_at_once() -> None:
    events = feed(Watch(), series("State/kl", [0.004] * 20 + [0.017] * 5 + [0.004] * 10))
    assert told(events) == [("kl_spike", 20), ("kl_spike_over", 27)]  # the third quiet record ends it
    assert events[0].facts == {"kl": 0.017, "usual": 0.004}


def test_an_alarm_is_over_only_after_three_quiet_records_in_a_row() -> None:
    events = feed(Watch(), series("State/kl", [1.0] * 20 + [20.0] + [1.0] * 2 + [20.0] + [1.0] * 3))
    assert told(events) == [("kl_spike", 20), ("kl_spike_over", 26)]


def test_a_kl_that_doubles_is_no_spike() -> None:
    assert feed(Watch(), series("State/kl", [4.0] * 20 + [8.0] * 20)) == []


def test_a_multiple_of_next_to_nothing_is_no_spike() -> None:
    assert feed(Watch(), series("State/kl", [0.0005] * 20 + [0.005] * 5)) == []


def test_a_spike_in_the_first_records_is_no_spike_yet() -> None:
    assert feed(Watch(), series("State/kl", [1.0] * 5 + [20.0] + [1.0] * 20)) == []


def test_a_kl_that_stays_high_becomes_the_usual_one() -> None:
    events = feed(Watch(), series("State/kl", [1.0] * 20 + [20.0] * 60))
    assert [event.kind for event in events] == ["kl_spike", "kl_spike_over"]


def test_the_seeds_rise_of_the_actor_loss_is_seen() -> None:
    rise = [0.005 + 0.01 * step for step in range(21)]  # to 0.205
    events = feed(Watch(), series("Loss/policy_loss", [0.005, 0.006, 0.007] * 5 + rise))
    assert [event.kind for event in events] == ["actor_loss_rise"]
    assert told(events)[0][1] == 25  # where the loss is 0.105: half way


def test_a_raised_actor_loss_is_over_only_when_it_is_back() -> None:
    values = [0.005] * 20 + [0.1 + 0.01 * step for step in range(10)] + [0.2] * 40 + [0.005] * 10
    events = feed(Watch(), series("Loss/policy_loss", values))
    assert told(events) == [("actor_loss_rise", 27), ("actor_loss_rise_over", 74)]


def test_the_level_to_come_back_to_is_the_flat_one_and_not_a_step_on_the_way_up() -> None:
    values = [0.005] * 20 + [0.1] * 25 + [0.3] * 10 + [0.1] * 20
    assert [event.kind for event in feed(Watch(), series("Loss/policy_loss", values))] == ["actor_loss_rise"]


def test_an_actor_loss_that_climbs_by_next_to_nothing_is_no_rise() -> None:
    assert feed(Watch(), series("Loss/policy_loss", [0.005] * 20 + [0.006] * 5 + [0.01] * 20)) == []


def test_a_straight_climb_from_the_start_has_no_flat_level_to_leave() -> None:
    assert feed(Watch(), series("Loss/policy_loss", [0.05 * step for step in range(40)])) == []


def test_an_actor_loss_that_is_merely_noisy_is_no_rise() -> None:
    noise = [0.1 * math.sin(5.0 * index) for index in range(100)]
    assert feed(Watch(), series("Loss/policy_loss", noise)) == []


def test_an_actor_loss_that_falls_is_no_rise() -> None:
    assert feed(Watch(), series("Loss/policy_loss", [0.2] * 15 + [0.2 - 0.02 * step for step in range(20)])) == []


def falling_returns(**changes: float) -> list[dict[str, Any]]:
    """The collapse of seed 003: 363 to 157 while the critic says `value_mean`."""
    return [record(index, **{"Rewards/rew_avg": 363.0 - 10 * index}, **changes) for index in range(21)]


def test_a_critic_that_stays_put_while_returns_fall_is_saturated() -> None:
    assert [event.kind for event in feed(Watch(), falling_returns(value_mean=147.0))] == ["critic_saturation"]


def test_a_critic_that_follows_the_returns_is_not_saturated() -> None:
    assert feed(Watch(), falling_returns()) == []


def test_a_critic_that_stays_put_while_returns_do_is_right() -> None:
    steady = [record(index, value_mean=147.0) for index in range(40)]
    assert feed(Watch(), steady) == []


def test_a_critic_whose_spread_collapses_while_returns_move_is_saturated() -> None:
    before = [record(index) for index in range(10)]
    events = feed(Watch(), before + falling_returns(value_std=0.01))
    assert [event.kind for event in events] == ["critic_saturation"]
    assert events[0].facts["value_std"] == 0.01


@pytest.mark.parametrize("value", [-3e7, 4e8])
def test_values_near_the_end_of_the_bins_need_no_further_proof(value: float) -> None:
    events = feed(Watch(), [record(0, value_mean=value)])
    assert [event.kind for event in events] == ["critic_saturation"]


def test_a_policy_of_one_action_is_told_after_ten_records() -> None:
    events = feed(Watch(), series("action_top_fraction", [0.6] * 5 + [0.99] * 15 + [0.7] * 3))
    assert told(events) == [("action_collapse", 14), ("action_collapse_over", 22)]
    assert events[0].message == "99.0% of the actions are the same one"


def test_a_policy_without_entropy_is_told_too() -> None:
    assert told(feed(Watch(), series("action_entropy", [0.001] * 12))) == [("action_collapse", 9)]


def test_the_entropy_of_continuous_actions_may_be_negative() -> None:
    records = series("action_entropy", [-3.0] * 30)
    for each in records:
        del each["action_top_fraction"]
    assert feed(Watch(), records) == []


def test_an_actor_that_never_trains_is_told() -> None:
    events = feed(Watch(), series("actor_updates", [0] * 12 + [25] * 3))
    assert told(events) == [("no_actor_updates", 9), ("no_actor_updates_over", 14)]
    assert events[0].message == "none of the last 1000 updates trained the actor"


def test_an_actor_that_pauses_for_a_few_records_is_not_told() -> None:
    assert feed(Watch(), series("actor_updates", ([25] * 8 + [0] * 8) * 3)) == []


@pytest.mark.parametrize("mode", ["bootstrap", "standing_still"])
def test_a_mode_without_an_actor_does_not_miss_it(mode: Mode) -> None:
    assert feed(watch_for(mode), series("actor_updates", [0] * 50)) == []


def test_the_warm_up_does_not_miss_the_actor() -> None:
    events = feed(watch_for(actor_warmup_updates=2000), series("actor_updates", [0] * 50))
    assert told(events) == [("no_actor_updates", 29)]  # 20 records of warm-up, then ten


def test_an_actor_with_a_small_share_is_waited_for() -> None:
    few = [record(index, updates=1, actor_updates=0) for index in range(30)]
    assert told(feed(watch_for(), few)) == [("no_actor_updates", 9)]
    assert told(feed(watch_for(wm_ac_ratio=10), few)) == [("no_actor_updates", 19)]
    focus = SurpriseConfig(enabled=True, wm_focus=True, wm_focus_ratio=12)
    assert told(feed(watch_for(surprise=focus), few)) == [("no_actor_updates", 23)]


def test_a_backlog_that_grows_is_told() -> None:
    events = feed(Watch(), series("update_backlog", [0] * 10 + list(range(0, 60, 4)) + [50, 40, 30]))
    assert told(events) == [("backlog_growing", 13), ("backlog_growing_over", 27)]  # 12 at record 13


def test_a_backlog_that_is_worked_off_is_not_told() -> None:
    assert feed(Watch(), series("update_backlog", range(600, 0, -10))) == []


def test_a_drift_of_the_replay_ratio_is_told_after_three_records() -> None:
    events = feed(Watch(), series("replay_ratio_actual", [0.5, 0.41, 0.39, 0.3, 0.3, 0.3, 0.45, 0.45, 0.45]))
    assert told(events) == [("replay_ratio_drift", 4), ("replay_ratio_drift_over", 8)]


def test_a_ratio_that_falls_as_it_is_asked_to_is_no_drift() -> None:
    targets = [0.5 * 0.8**index for index in range(30)]  # at record after record of 400 steps each
    asked = [400 * sum(targets[: index + 1]) for index in range(30)]
    records = [
        record(index, replay_ratio_target=target, train_steps=due, replay_ratio_actual=due / (400 * (index + 1)))
        for index, (target, due) in enumerate(zip(targets, asked, strict=True))
    ]
    assert feed(Watch(), records) == []
    assert told(feed(Watch(), [{**one, "replay_ratio_actual": 0.5} for one in records]))[0][0] == "replay_ratio_drift"


def test_the_replay_ratio_of_the_first_updates_is_no_drift() -> None:
    assert feed(Watch(), [record(0, train_steps=40, replay_ratio_actual=0.1)] * 10) == []


def test_a_nan_raises_no_alarm() -> None:
    broken = [record(index, **{key: math.nan for key in HEALTHY if key != "run_id"}) for index in range(50)]
    assert feed(Watch(), broken) == []


@pytest.mark.parametrize("hole", [math.nan, math.inf, None, "missing"])
def test_holes_between_bad_records_do_not_hide_them(hole: Any) -> None:
    bad = {"action_top_fraction": 0.99, "actor_updates": 0, "replay_ratio_actual": 0.1}
    holes = dict.fromkeys(bad, hole)
    records = [record(index, **(holes if index % 2 else bad)) for index in range(30)]
    assert {event.kind for event in feed(Watch(), records)} == {
        "action_collapse",
        "no_actor_updates",
        "replay_ratio_drift",
    }


def test_holes_after_an_alarm_do_not_end_it() -> None:
    alarm = series("action_top_fraction", [0.99] * 10)
    assert [event.kind for event in feed(Watch(), alarm + series("action_top_fraction", [None] * 20))] == [
        "action_collapse"
    ]


def test_an_event_says_where_it_happened() -> None:
    watch = Watch()
    (event,) = watch.on_record(record(3, value_mean=1e8))
    assert (event.kind, event.env_steps, event.train_steps) == ("critic_saturation", 1000, 400)
    watch.on_eval(1200, 500.0)
    (event,) = watch.on_eval(2000, 1.0)
    assert (event.kind, event.env_steps, event.train_steps) == ("eval_gap", 2000, 400)


@pytest.mark.parametrize("saved_after", [1, 12, 21, 26, 33])
def test_a_restored_watch_goes_on_as_if_it_had_never_stopped(saved_after: int) -> None:
    troubled = [
        record(
            index,
            **{
                "State/kl": 20.0 if 20 <= index < 25 else 1.0,
                "Loss/policy_loss": 0.005 + 0.02 * max(0, index - 15),
                "value_mean": 147.0,
                "Rewards/rew_avg": 363.0 - 10 * index,
                "action_top_fraction": 0.99 if index > 5 else 0.5,
                "actor_updates": 0 if index > 10 else 5,
                "update_backlog": 5 * index,
                "replay_ratio_actual": 0.2 if index > 22 else 0.5,
            },
        )
        for index in range(36)
    ]
    straight, first, second = Watch(), Watch(), Watch()
    expected = straight.on_eval(0, 500.0) + feed(straight, troubled) + straight.on_eval(9000, 1.0)
    events = first.on_eval(0, 500.0) + feed(first, troubled[:saved_after])
    second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
    events += feed(second, troubled[saved_after:]) + second.on_eval(9000, 1.0)
    assert events == expected
    assert {event.kind.removesuffix("_over") for event in expected} == {
        "kl_spike",
        "actor_loss_rise",
        "critic_saturation",
        "action_collapse",
        "no_actor_updates",
        "backlog_growing",
        "replay_ratio_drift",
        "eval_gap",
    }


def test_a_fresh_watch_can_be_saved_as_json() -> None:
    state = json.loads(json.dumps(Watch().state(), allow_nan=False))
    watch = Watch()
    watch.restore(state)
    assert watch.state() == state


def test_best_keeps_the_highest_score_and_its_step() -> None:
    best = Best()
    assert [best.offer(score, step) for step, score in enumerate([10.0, 30.0, 20.0])] == [True, True, False]
    assert best.current == (30.0, 1)


def test_best_keeps_the_earlier_of_two_equals() -> None:
    best = Best()
    assert [best.offer(500.0, step) for step in (1000, 2000)] == [True, False]
    assert best.current == (500.0, 1000)


def test_a_score_that_is_no_number_is_never_the_best() -> None:
    best = Best()
    assert [best.offer(score, 1) for score in (math.nan, -200.0, math.nan)] == [False, True, False]


def test_best_is_restored_with_its_step() -> None:
    best, again = Best(), Best()
    best.offer(7.0, 3)
    again.restore(json.loads(json.dumps(best.state())))
    assert again.current == (7.0, 3)
    assert not again.offer(7.0, 4)


def test_best_is_restored_before_there_is_one() -> None:
    best = Best()
    best.restore(json.loads(json.dumps(Best().state())))
    assert best.offer(-5.0, 1)


def test_only_passes_in_a_row_stop_a_run() -> None:
    stop = EarlyStop(3, 475.0)
    scores = [480.0, 500.0, 474.0, 475.0, 500.0, math.nan, 500.0, 500.0, 500.0]
    assert [stop.offer(score) for score in scores] == [False] * 8 + [True]


def test_zero_passes_never_stop_a_run() -> None:
    assert not any(EarlyStop(0, None).offer(score) for score in (500.0, math.inf))


def test_a_restored_early_stop_remembers_the_passes() -> None:
    stop, again = EarlyStop(2, 475.0), EarlyStop(2, 475.0)
    stop.offer(500.0)
    again.restore(json.loads(json.dumps(stop.state())))
    assert again.offer(500.0)
