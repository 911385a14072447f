"""The defaults of the specification, key by key."""

from typing import Any

import pytest

from dreamer_core.config import Config, to_mapping
from dreamer_core.config.model import OptimizerConfig
from dreamer_core.config.parse import dotted_items, known_keys
from dreamer_core.config.tree import DreamerV3Config

# What the specification lists. `None` here: it asks for the key and leaves the value open.
SPECIFIED: dict[str, Any] = {
    "precision.model_dtype": "float32",
    "precision.rnn_dtype": "float32",
    "precision.autocast": False,
    "precision.allow_bf16": False,
    "precision.allow_tf32": False,
    "replay.capacity": None,
    "replay.seq_len": None,
    "replay.batch_size": None,
    "replay.commit_stride": None,
    "algo.gamma": 0.996996996996997,
    "algo.lmbda": 0.95,
    "algo.horizon": 15,
    "algo.replay_ratio": 1.0,
    "algo.learning_starts": 1024,
    "algo.per_rank_batch_size": None,
    "algo.per_rank_sequence_length": None,
    "algo.unimix": 0.01,
    "algo.hafner_initialization": True,
    "algo.cnn_keys.encoder": [],
    "algo.cnn_keys.decoder": [],
    "algo.mlp_keys.encoder": [],
    "algo.mlp_keys.decoder": [],
    "world_model.discrete_size": 32,
    "world_model.stochastic_size": 32,
    "world_model.kl_dynamic": 0.5,
    "world_model.kl_representation": 0.1,
    "world_model.kl_free_nats": 1.0,
    "world_model.kl_regularizer": 1.0,
    "world_model.continue_scale_factor": 1.0,
    "world_model.decoupled_rssm": False,
    "world_model.learnable_initial_recurrent_state": True,
    "world_model.reward_model.bins": 255,
    "actor.moments.decay": 0.99,
    "actor.moments.max": 1.0,
    "actor.moments.percentile.low": 0.05,
    "actor.moments.percentile.high": 0.95,
    "critic.bins": 255,
    "seed": None,
    "distribution.type": "auto",
}

# sheeprl's own configuration at commit 33b6366, size XL, where the specification is silent.
OF_SHEEPRL: dict[str, Any] = {
    "replay.capacity": 1_000_000,
    "algo.per_rank_batch_size": 16,
    "algo.per_rank_sequence_length": 64,
    "algo.total_steps": 5_000_000,
    "algo.dense_units": 1024,
    "algo.mlp_layers": 5,
    "world_model.encoder.cnn_channels_multiplier": 96,
    "world_model.recurrent_model.recurrent_state_size": 4096,
    "world_model.transition_model.hidden_size": 1024,
    "world_model.clip_gradients": 1000.0,
    "world_model.optimizer.lr": 1e-4,
    "world_model.optimizer.eps": 1e-8,
    "actor.ent_coef": 3e-4,
    "actor.min_std": 0.1,
    "actor.init_std": 2.0,
    "actor.clip_gradients": 100.0,
    "actor.optimizer.lr": 8e-5,
    "actor.optimizer.eps": 1e-5,
    "critic.tau": 0.02,
    "critic.per_rank_target_network_update_freq": 1,
    "critic.optimizer.lr": 8e-5,
    "critic.optimizer.eps": 1e-5,
    "critic.clip_gradients": 100.0,
    "env.num_envs": 4,
}


@pytest.fixture(scope="module")
def defaults() -> dict[str, Any]:
    return dotted_items(to_mapping(Config()))


@pytest.mark.parametrize("key", SPECIFIED)
def test_every_key_of_the_specification_is_there_with_its_default(defaults: dict[str, Any], key: str) -> None:
    assert key in defaults
    if SPECIFIED[key] is not None:
        assert defaults[key] == SPECIFIED[key]
        assert type(defaults[key]) is type(SPECIFIED[key])


def test_the_other_defaults_are_those_of_sheeprl(defaults: dict[str, Any]) -> None:
    assert {key: defaults[key] for key in OF_SHEEPRL} == OF_SHEEPRL


def test_what_is_optional_is_off(defaults: dict[str, Any]) -> None:
    off = {key: value for key, value in defaults.items() if key.startswith("train.surprise.") and value is True}
    assert off == {}
    assert defaults["train.wm_ac_ratio"] == 1
    assert defaults["train.average_share"] == 0
    for switch in ("wm_ac_ratio_cosine", "lr_cosine_decay", "replay_ratio_cosine_decay", "freeze_world_model"):
        assert defaults[f"train.{switch}"] is False


def test_the_known_keys_are_the_leaves_of_the_tree(defaults: dict[str, Any]) -> None:
    assert known_keys(Config) == list(defaults)


def test_the_root_has_the_name_that_the_specification_uses() -> None:
    assert DreamerV3Config is Config


def test_sections_do_not_share_state() -> None:
    assert Config() == Config()
    assert Config().actor.optimizer == Config().critic.optimizer == OptimizerConfig(lr=8e-5, eps=1e-5)


def test_the_tree_is_frozen() -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'seed'"):
        Config().seed = 1  # type: ignore[misc]
