"""One line of metrics.jsonl: the means since the last line, and how the run is doing."""

from dataclasses import dataclass
from typing import Any

from dreamer_core.training.collector import describe
from dreamer_core.training.engine import Ticked
from dreamer_core.training.trainer import Trainer

SCHEMA_VERSION = 1


@dataclass
class Interval:
    """What happened since the last record; saved with a checkpoint, so that a resumed interval is whole."""

    env_steps: int = 0
    updates: int = 0
    actor_s: float = 0.0
    learner_s: float = 0.0
    total_s: float = 0.0
    actor_updates_before: int = 0
    learned_steps: int = 0  # env steps of ticks after learning began
    asked: float = 0.0  # updates that the replay ratio asked for in them, fractions and all

    def add(self, ticked: Ticked, *, is_learning: bool, rate: float = 0.0) -> None:
        """`rate`: updates per step that were asked for in this tick."""
        self.env_steps += ticked.env_steps
        self.updates += ticked.updates
        self.actor_s += ticked.actor_s
        self.learner_s += ticked.learner_s
        self.total_s += ticked.total_s
        if is_learning:
            self.learned_steps += ticked.env_steps
            self.asked += ticked.env_steps * rate


def make_record(trainer: Trainer, interval: Interval, run_id: str, trace_id: str) -> dict[str, Any]:
    progress = trainer.progress
    means = trainer.window.take()
    return {
        "run_id": run_id,
        "trace_id": trace_id,
        "schema_version": SCHEMA_VERSION,
        "env_steps": progress.env_steps,
        "train_steps": trainer.learner.count,
        "opt_steps": trainer.learner.count,
        "wall_time_s": progress.seconds,
        "cpu_time_s": progress.cpu_seconds,
        "updates": interval.updates,
        "actor_updates": progress.actor_updates - interval.actor_updates_before,
        **_replay(trainer, interval),
        **_speed(interval),
        **describe(trainer.episodes),
        **means,
        **trainer.controller.metrics,
    }


def _replay(trainer: Trainer, interval: Interval) -> dict[str, Any]:
    config, ring = trainer.config, trainer.replay.ring
    facts: dict[str, Any] = {
        "replay_size": len(trainer.replay),
        "committed_t": trainer.replay.committed,
        "commit_stride": config.replay.commit_stride,
        "ready_steps": max(0, ring.end - ring.oldest),
        "min_ready_steps": trainer.replay.window,
        "seq_len": config.replay.seq_len,
        "replay_ratio_target": _target(trainer, interval),
        "update_backlog": trainer.ratio.backlog,
    }
    ranks = trainer.collective.size  # each does all updates, but takes only its share of the steps
    if interval.learned_steps:
        facts["replay_ratio"] = ranks * interval.updates / interval.learned_steps
    since = trainer.progress.learning_since
    if since is not None and trainer.progress.env_steps > since:
        facts["replay_ratio_actual"] = ranks * trainer.learner.count / (trainer.progress.env_steps - since)
    return facts


def _target(trainer: Trainer, interval: Interval) -> float:
    """What the ratio was meant to be, on average where it falls."""
    if trainer.config.train.replay_ratio_cosine_decay and interval.learned_steps:
        return interval.asked / interval.learned_steps
    return trainer.ratio.rate


def _speed(interval: Interval) -> dict[str, Any]:
    total = max(interval.total_s, 1e-9)
    speed = {
        "sps": interval.env_steps / total,
        "actor_ms": 1000 * interval.actor_s,
        "learner_ms": 1000 * interval.learner_s,
        "total_ms": 1000 * interval.total_s,
        "overlap_eff": (interval.actor_s + interval.learner_s) / total,
    }
    if interval.updates:
        speed["train_sps"] = interval.updates / max(interval.learner_s, 1e-9)
    return speed
