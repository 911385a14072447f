"""What a cohort comes to, by hand."""

import json
from typing import get_type_hints

import pytest

from dreamer_core.evaluation.rollout import EpisodeResult
from dreamer_core.evaluation.summary import Summary, bootstrap_ci95, lower_median, summarize

EXISTING_KEYS = [
    "episodes", "successes", "success_rate", "median_steps_to_goal", "mean_return", "steps_p50_success",
    "return_mean_success", "return_mean_fail", "dist_at_end_p50", "Rewards/rew_avg", "Game/ep_len_avg", "wall_time_s",
]  # fmt: skip


def result(
    index: int, return_: float, length: int, *, success: bool, actions: tuple[int, int] = (1, 1)
) -> EpisodeResult:
    return EpisodeResult(
        index=index,
        seed=100 + index,
        return_=return_,
        length=length,
        terminated=success,
        truncated=not success,
        success=success,
        actions=(actions,),
    )


def summary(*results: EpisodeResult) -> Summary:
    return summarize(results, greedy=True, seed_base=100, wall_time_s=1.5)


def test_four_episodes_by_hand() -> None:
    got = summary(
        result(0, 10.0, 30, success=True, actions=(3, 1)),
        result(1, 4.0, 20, success=True),
        result(2, -2.0, 50, success=False),
        result(3, 0.0, 60, success=False),
    )
    expected = {
        "episodes": 4,
        "successes": 2,
        "success_rate": 0.5,
        "median_steps_to_goal": 20,  # of 20 and 30: the lower
        "mean_return": 3.0,
        "steps_p50_success": 20,
        "return_mean_success": 7.0,
        "return_mean_fail": -1.0,
        "dist_at_end_p50": None,
        "Rewards/rew_avg": 3.0,
        "Game/ep_len_avg": 40.0,
        "wall_time_s": 1.5,
        "return_std": pytest.approx(5.2915026),  # the root of (49 + 1 + 25 + 9) / 3
        "return_min": -2.0,
        "return_max": 10.0,
        "action_histogram": [[0.6, 0.4]],
        "greedy": True,
        "seed_base": 100,
    }
    assert {key: value for key, value in got.items() if key in expected} == expected
    assert got["per_episode"][1] == {
        "index": 1,
        "seed": 101,
        "return": 4.0,
        "length": 20,
        "terminated": True,
        "truncated": False,
        "success": True,
        "actions": [[1, 1]],
    }


def test_the_existing_names_come_first_and_the_type_names_them_all() -> None:
    got = summary(result(0, 1.0, 1, success=True))
    assert list(got)[:12] == EXISTING_KEYS
    assert set(got) == set(get_type_hints(Summary))


def test_without_a_success_there_are_no_steps_to_the_goal() -> None:
    got = summary(result(0, 1.0, 5, success=False), result(1, 3.0, 6, success=False))
    assert (got["successes"], got["success_rate"]) == (0, 0.0)
    assert got["median_steps_to_goal"] is None
    assert got["steps_p50_success"] is None
    assert got["return_mean_success"] is None
    assert got["return_mean_fail"] == 2.0


def test_without_a_failure_there_is_no_return_of_failures() -> None:
    assert summary(result(0, 1.0, 5, success=True))["return_mean_fail"] is None


def test_one_episode_has_no_spread() -> None:
    got = summary(result(0, 1.0, 5, success=True))
    assert got["return_std"] is None
    assert got["return_ci95"] is None


def test_it_is_json_without_nan() -> None:
    got = summary(result(0, 1.0, 5, success=False))
    assert json.loads(json.dumps(got, allow_nan=False)) == got


def test_an_empty_cohort_is_refused() -> None:
    with pytest.raises(ValueError, match="got none"):
        summary()


@pytest.mark.parametrize(("values", "expected"), [([3], 3), ([4, 1], 1), ([9, 1, 5], 5), ([8, 2, 6, 4], 4), ([], None)])
def test_lower_medians(values: list[int], expected: int | None) -> None:
    assert lower_median(values) == expected


def test_the_interval_of_equal_returns_is_a_point() -> None:
    assert bootstrap_ci95([2.0, 2.0, 2.0]) == [2.0, 2.0]


def test_the_interval_holds_the_mean_and_narrows_with_more_episodes() -> None:
    few, many = bootstrap_ci95([0.0, 10.0] * 5), bootstrap_ci95([0.0, 10.0] * 50)
    assert few is not None
    assert many is not None
    # Normal approximation: 5 ± 1.96 * 5 / sqrt(n), which is 5 ± 3.1 and 5 ± 0.98.
    assert few == pytest.approx([1.9, 8.1], abs=0.5)
    assert many == pytest.approx([4.02, 5.98], abs=0.2)


def test_the_interval_is_the_same_twice() -> None:
    assert bootstrap_ci95([1.0, 5.0, 2.0]) == bootstrap_ci95([1.0, 5.0, 2.0])
