"""Which metrics a table shows, and what is said of them over the seeds."""

import math

from server.log.columns import chosen, newest_of_each_seed, summarize


def test_the_primary_metric_comes_first_and_key_metrics_follow() -> None:
    has = {"State/kl", "eval/mean_return", "mine", "sps"}
    assert chosen(["mine"], has) == ["mine", "eval/mean_return", "State/kl", "sps"]


def test_a_primary_metric_without_a_number_is_shown_all_the_same() -> None:
    assert chosen(["eval/mean_return"], set()) == ["eval/mean_return"]


def test_of_a_foreign_trainer_the_first_by_name_are_shown() -> None:
    assert chosen([], {"d", "c", "b", "a"}) == ["a", "b", "c"]


def test_a_table_stays_narrow() -> None:
    assert len(chosen(["p"], {"eval/mean_return", "Rewards/rew_avg", "State/kl", "action_entropy", "sps"})) == 5


def test_four_seeds_have_an_interquartile_mean_and_three_have_none() -> None:
    found = summarize([1.0, 10.0, 20.0, 1000.0])
    assert (found.n, found.median, found.iqm, found.min, found.max) == (4, 15.0, 15.0, 1.0, 1000.0)
    assert summarize([1.0, 2.0, 3.0]).iqm is None


def test_a_seed_that_is_not_finite_is_counted_beside_the_others() -> None:
    found = summarize([math.nan, 2.0, math.inf])
    assert (found.n, found.not_finite, found.median, found.max) == (1, 2, 2.0, 2.0)


def test_no_seed_has_no_numbers() -> None:
    found = summarize([])
    assert (found.n, found.median, found.min) == (0, None, None)


def test_sums_that_no_float_holds_are_left_out() -> None:
    found = summarize([1.7e308] * 4)
    assert (found.median, found.iqm, found.max) == (None, None, 1.7e308)


def test_of_two_runs_with_one_seed_the_newer_counts() -> None:
    assert newest_of_each_seed({"old": 0, "new": 0, "other": 1, "x": None, "y": None}) == {"new", "other", "x", "y"}
