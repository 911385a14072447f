"""Records as a training of CartPole writes them: it learns, and where it is told to, it jumps, forgets or breaks."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

EVERY = 100  # environment steps between two records
EVAL_EVERY = 2000


@dataclass(frozen=True, kw_only=True)
class Plot:
    """How a training goes."""

    seed: int = 0
    steps: int = 40_000
    solved_at: int = 16_000
    best: float = 490.0
    forgets_at: int | None = None
    spike_at: int | None = None  # of the critic's loss, one record wide
    breaks_at: int | None = None  # from here on the world model's loss is NaN


def records(plot: Plot) -> Iterator[dict[str, Any]]:
    rng = random.Random(plot.seed)
    for step in range(EVERY, plot.steps + 1, EVERY):
        record = _record(plot, step, rng)
        yield record
        if step % EVAL_EVERY == 0:
            axes = {name: record[name] for name in ("env_steps", "train_steps", "wall_time_s")}
            yield {**axes, **_evaluation(plot, step, rng)}


def _record(plot: Plot, step: int, rng: random.Random) -> dict[str, Any]:
    learned, age = _learned(plot, step), step / 4000
    noise = rng.gauss
    world = 0.9 + 7 * math.exp(-age) + abs(noise(0, 0.12))
    train_steps = max(0, step - 1024) // 2
    return {
        "env_steps": step,
        "train_steps": train_steps,
        "wall_time_s": round(step / 12.4, 2),
        "Rewards/rew_avg": max(8.0, plot.best * learned * (1 + noise(0, 0.12))),
        "Game/ep_len_avg": max(8.0, plot.best * learned),
        "Loss/world_model_loss": math.nan if plot.breaks_at and step >= plot.breaks_at else world,
        "Loss/observation_loss": 0.05 + 2 * math.exp(-age * 1.6) + abs(noise(0, 0.02)),
        "Loss/reward_loss": 0.02 + 0.6 * math.exp(-age) + abs(noise(0, 0.02)),
        "Loss/continue_loss": 0.03 + 0.2 * math.exp(-age / 2) + abs(noise(0, 0.01)),
        "State/kl": 1.1 + 2.4 * math.exp(-age / 2) + noise(0, 0.09),
        "State/post_entropy": 21 - 6 * learned + noise(0, 0.3),
        "State/prior_entropy": 22 - 6 * learned + noise(0, 0.3),
        "Loss/policy_loss": noise(0, 0.02) - 0.01 * learned,
        "Loss/value_loss": 46.0 if step == plot.spike_at else 1.2 + 2.2 * math.exp(-age / 2) + abs(noise(0, 0.1)),
        "action_entropy": 0.69 - 0.45 * learned + noise(0, 0.015),
        "value_mean": 60 * learned + noise(0, 1.2),
        "adv_mean": noise(0, 0.02),
        "ret_scale": 1 + 70 * learned + abs(noise(0, 1.5)),
        "Grads/agent": 3 + 30 * math.exp(-age) + abs(noise(0, 1)),
        "sps": 12.4 + noise(0, 0.35),
        "train_sps": 6.1 + noise(0, 0.2),
        "replay_ratio_actual": 0.5 * train_steps / max(1, step - 1024) * 2 if train_steps else 0.0,
        "replay_size": step,
    }


def _evaluation(plot: Plot, step: int, rng: random.Random) -> dict[str, float]:
    mean = min(500.0, max(9.0, plot.best * _learned(plot, step) * (1 + rng.gauss(0, 0.04))))
    return {
        "eval/mean_return": mean,
        "eval/return_std": abs(rng.gauss(0, 30)),
        "eval/success_rate": round(max(0.0, min(1.0, (mean - 300) / 180)), 2),
    }


def _learned(plot: Plot, step: int) -> float:
    """From 0.02 to 1."""
    share = 0.02 + 0.98 / (1 + math.exp(-(step - plot.solved_at) / 2200))
    if plot.forgets_at and step > plot.forgets_at:
        share *= 0.25 + 0.75 * math.exp(-(step - plot.forgets_at) / 900)
    return share
