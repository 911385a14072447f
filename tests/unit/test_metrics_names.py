"""The table of metric names covers what is promised and everything that training emits."""

import pytest
import torch

from dreamer_core.config.tree import Recipe
from dreamer_core.metrics.names import BASELINE_KEYS, IDENTITY, METRICS
from dreamer_core.training.engine import CpuEngine
from dreamer_core.training.record import Interval, make_record
from dreamer_core.training.trainer import build_trainer
from tests.factories import tiny_config

# fmt: off
AGGREGATOR_KEYS = {
    "Loss/world_model_loss", "Loss/observation_loss", "Loss/reward_loss", "Loss/state_loss", "Loss/continue_loss",
    "State/kl", "State/post_entropy", "State/prior_entropy", "Loss/policy_loss", "Loss/value_loss",
    "Grads/world_model", "Grads/actor", "Grads/critic", "Rewards/rew_avg", "Game/ep_len_avg",
}

RECORD_FIELDS = {
    "env_steps", "train_steps", "opt_steps", "wall_time_s", "updates", "update_backlog",
    "replay_ratio", "replay_ratio_actual", "replay_ratio_target", "replay_size", "committed_t",
    "commit_stride", "ready_steps", "min_ready_steps", "seq_len",
    "sps", "train_sps", "actor_ms", "learner_ms", "total_ms", "overlap_eff",
}
# fmt: on


def test_the_promised_names_are_there() -> None:
    assert AGGREGATOR_KEYS | RECORD_FIELDS | set(BASELINE_KEYS) <= METRICS.keys()
    assert len(BASELINE_KEYS) == len(set(BASELINE_KEYS)) == 26


def test_a_name_is_a_number_or_an_identity_but_not_both() -> None:
    assert not METRICS.keys() & IDENTITY.keys()


def test_directions_are_what_a_gate_would_expect() -> None:
    directions = {name: METRICS[name].direction for name in ("Loss/world_model_loss", "sps", "State/kl", "train_sps")}
    assert directions == {
        "Loss/world_model_loss": "lower",
        "sps": "higher",
        "State/kl": "info",
        "train_sps": "higher",
    }


@pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
def test_training_emits_no_name_that_is_not_in_the_table(recipe: Recipe) -> None:
    words = ["train.surprise.enabled=true", "train.lr_cosine_decay=true", "train.wm_ac_ratio_cosine=true"]
    words += ["train.replay_ratio_cosine_decay=true"]
    config = tiny_config(recipe, *words, "train.wm_ac_ratio_min=1", "train.wm_ac_ratio_max=1", "algo.replay_ratio=1")
    trainer = build_trainer(config, torch.device("cpu"))
    engine, interval = CpuEngine(trainer), Interval()
    while trainer.learner.count < 3 or not trainer.episodes:
        interval.add(engine.tick(), is_learning=trainer.progress.learning_since is not None)
    record = make_record(trainer, interval, "a run", "a trace")
    assert record.keys() <= METRICS.keys() | IDENTITY.keys()
    assert record.keys() >= AGGREGATOR_KEYS | RECORD_FIELDS
