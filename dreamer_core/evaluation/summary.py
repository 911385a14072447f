"""What a cohort of episodes comes to, as JSON. Pure: results in, numbers out; a number that does not exist is null."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, TypedDict

import numpy as np

from dreamer_core.evaluation.rollout import EpisodeResult

RESAMPLES = 2000  # of the bootstrap; more changes the third digit of an interval only
_BOOTSTRAP_SEED = 0

# The first twelve are the names that existing evaluation files use, the others are ours.
Summary = TypedDict(
    "Summary",
    {
        "episodes": int,
        "successes": int,
        "success_rate": float,
        "median_steps_to_goal": int | None,
        "mean_return": float,
        "steps_p50_success": int | None,
        "return_mean_success": float | None,
        "return_mean_fail": float | None,
        "dist_at_end_p50": float | None,
        "Rewards/rew_avg": float,
        "Game/ep_len_avg": float,
        "wall_time_s": float,
        "return_std": float | None,
        "return_min": float,
        "return_max": float,
        "return_ci95": list[float] | None,
        "action_histogram": list[list[float]],
        "greedy": bool,
        "seed_base": int,
        "per_episode": list[dict[str, Any]],
    },
)


def summarize(results: Sequence[EpisodeResult], *, greedy: bool, seed_base: int, wall_time_s: float) -> Summary:
    """Medians are lower medians: values that an episode really had. `wall_time_s` is measured by the caller."""
    if not results:
        raise ValueError("there is nothing to summarize: a cohort has at least one episode, got none")
    returns = [result.return_ for result in results]
    won = [result for result in results if result.success]
    steps_to_goal = lower_median([result.length for result in won])
    return {
        "episodes": len(results),
        "successes": len(won),
        "success_rate": len(won) / len(results),
        "median_steps_to_goal": steps_to_goal,
        "mean_return": fmean(returns),
        "steps_p50_success": steps_to_goal,
        "return_mean_success": _mean([result.return_ for result in won]),
        "return_mean_fail": _mean([result.return_ for result in results if not result.success]),
        "dist_at_end_p50": None,  # no environment measures a distance
        "Rewards/rew_avg": fmean(returns),
        "Game/ep_len_avg": fmean(result.length for result in results),
        "wall_time_s": wall_time_s,
        "return_std": stdev(returns) if len(returns) > 1 else None,
        "return_min": min(returns),
        "return_max": max(returns),
        "return_ci95": bootstrap_ci95(returns),
        "action_histogram": action_fractions(results),
        "greedy": greedy,
        "seed_base": seed_base,
        "per_episode": [_episode(result) for result in results],
    }


def scores(summary: Mapping[str, Any]) -> dict[str, float]:
    """What a metric record keeps of a summary."""
    names = ("mean_return", "return_std", "return_min", "return_max", "success_rate")
    found = {f"eval/{name}": summary[name] for name in names if summary[name] is not None}
    return found | {"eval/ep_len_avg": summary["Game/ep_len_avg"]}


def lower_median(values: Sequence[int]) -> int | None:
    """The middle value, or the lower of the two in the middle."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def bootstrap_ci95(values: Sequence[float]) -> list[float] | None:
    """Where the mean lies, by drawing the same episodes again with replacement. One episode says nothing about it."""
    if len(values) < 2:
        return None
    sample = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    means = sample[rng.integers(0, len(sample), (RESAMPLES, len(sample)))].mean(1)
    return [float(bound) for bound in np.quantile(means, (0.025, 0.975))]


def action_fractions(results: Sequence[EpisodeResult]) -> list[list[float]]:
    """For each head (or continuous dimension): the share of each choice (or part of [-1, 1]) over all episodes."""
    heads = zip(*(result.actions for result in results), strict=True)
    totals = [[sum(counts) for counts in zip(*head, strict=True)] for head in heads]
    return [[count / sum(head) for count in head] for head in totals]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _episode(result: EpisodeResult) -> dict[str, Any]:
    return {
        "index": result.index,
        "seed": result.seed,
        "return": result.return_,
        "length": result.length,
        "terminated": result.terminated,
        "truncated": result.truncated,
        "success": result.success,
        "actions": [list(head) for head in result.actions],
    }
