"""Which charts a run's page shows first."""

from server.pages.board import HERO, MAIN, Board, ShownMetric, arrange


def board(*keys: str, primary: str | None = None, expected: tuple[str, ...] = ()) -> Board:
    return arrange([ShownMetric(key=key, points=3) for key in keys], primary=primary, expected=expected)


def hero_of(found: Board) -> str | None:
    return found.hero.key if found.hero else None


def test_the_evaluation_is_the_hero() -> None:
    assert hero_of(board("sps", "Rewards/rew_avg", "eval/mean_return")) == "eval/mean_return"


def test_without_evaluation_it_is_the_return_of_training() -> None:
    assert hero_of(board("sps", "Rewards/rew_avg")) == "Rewards/rew_avg"


def test_of_a_benchmark_it_is_what_was_measured() -> None:
    assert hero_of(board("overlap_eff", "sps", "bench/updates_per_s")) == "bench/updates_per_s"


def test_what_the_run_was_made_to_decide_comes_before_both() -> None:
    assert hero_of(board("eval/mean_return", "sps", primary="sps")) == "sps"


def test_a_foreign_trainer_gets_a_hero_too() -> None:
    found = board("charts/reward", "losses/total")
    assert (hero_of(found), [metric.key for metric in found.main]) == ("charts/reward", ["losses/total"])


def test_a_run_without_numbers_has_none() -> None:
    assert board() == Board(hero=None, main=[], groups=[])


def test_the_six_come_in_the_order_of_a_trainers_questions() -> None:
    found = board(*reversed(MAIN), "eval/mean_return", "State/post_entropy")
    assert [metric.key for metric in found.main] == list(MAIN)


def test_missing_ones_are_stood_in_for_by_the_next_in_order() -> None:
    found = board("eval/mean_return", "sps", "eval/success_rate", "Game/ep_len_avg")
    assert [metric.key for metric in found.main] == ["sps", "eval/success_rate", "Game/ep_len_avg"]


def test_the_rest_is_grouped_by_what_it_tells() -> None:
    rest = ("Grads/actor", "State/prior_entropy", "value_mean", "replay_size", "my/own", "thing")
    found = board("eval/mean_return", *MAIN, *rest)
    assert [(group.title, [metric.key for metric in group.metrics]) for group in found.groups] == [
        ("World model", ["State/prior_entropy"]),
        ("Actor and critic", ["value_mean"]),
        ("Gradients", ["Grads/actor"]),
        ("Replay", ["replay_size"]),
        ("my", ["my/own"]),
        ("Other", ["thing"]),
    ]


def test_axes_are_no_charts() -> None:
    assert board("env_steps", "train_steps", "wall_time_s").keys == []


def test_expected_charts_have_their_place_before_their_first_point() -> None:
    found = board("sps", expected=(*HERO, *MAIN))
    assert (hero_of(found), found.hero.points if found.hero else None) == ("eval/mean_return", 0)
    assert [metric.key for metric in found.main] == list(MAIN)


def test_every_chart_says_what_its_name_means() -> None:
    assert ShownMetric(key="sps").unit == "steps/s"
    assert ShownMetric(key="nobody/knows").meaning == ""
