"""Every range that a number must lie in, at its very edge."""

from typing import Any

import pytest

from dreamer_core.config import Config, from_mapping, to_mapping
from dreamer_core.config.parse import dotted_items
from dreamer_core.errors import ConfigError

# key: (the last value that is right, the first that is wrong). A wrong value is refused by its own key.
EDGES: list[tuple[str, Any, Any]] = [
    # the rules of the specification
    ("world_model.reward_model.bins", 2, 1),
    ("critic.bins", 2, 1),
    ("world_model.kl_free_nats", 0, -1e-9),
    ("world_model.kl_dynamic", 0, -1e-9),
    ("world_model.kl_representation", 0, -1e-9),
    ("world_model.kl_regularizer", 0, -1e-9),
    ("actor.moments.percentile.low", 1e-9, 0),
    ("actor.moments.percentile.low", 0.94, 0.95),
    ("actor.moments.percentile.high", 1 - 1e-9, 1),
    ("actor.moments.percentile.high", 0.06, 0),
    ("replay.commit_stride", 1, 0),
    ("world_model.discrete_size", 2, 1),
    ("world_model.stochastic_size", 1, 0),
    # and ours
    ("seed", 0, -1),
    ("seed", 2**53, 2**53 + 1),
    ("env.num_envs", 1, 0),
    ("env.action_repeat", 1, 0),
    ("env.screen_size", 1, 0),
    ("env.max_episode_steps", 1, 0),
    ("replay.capacity", 1, 0),
    ("replay.max_bytes", 1, 0),
    ("replay.safety_margin", 0, -1),
    ("algo.gamma", 1, 1.001),
    ("algo.gamma", 1e-9, 0),
    ("algo.lmbda", 1, 1.001),
    ("algo.lmbda", 0, -1e-9),
    ("algo.unimix", 0, -1e-9),
    ("algo.unimix", 0.999, 1),
    ("algo.norm_eps", 1e-9, 0),
    ("algo.total_steps", 1, 0),
    ("algo.horizon", 1, 0),
    ("algo.imag_last", 0, -1),
    ("algo.imag_last", 64, 65),
    ("algo.replay_ratio", 0, -1e-9),
    ("algo.learning_starts", 0, -1),
    ("algo.per_rank_pretrain_steps", 0, -1),
    ("algo.max_updates_per_tick", 1, 0),
    ("algo.replay_context", 1, 2),
    ("algo.replay_context", 0, -1),
    ("algo.dense_units", 1, 0),
    ("algo.mlp_layers", 1, 0),
    ("algo.optimizer.agc", 0, -1e-9),
    ("algo.optimizer.agc_pmin", 1e-9, 0),
    ("algo.optimizer.warmup", 0, -1),
    ("world_model.encoder.cnn_stages", [1], [1, 0]),
    ("world_model.observation_model.cnn_stages", [1], []),
    ("world_model.observation_model.block_space", 0, -1),
    ("world_model.recurrent_model.blocks", 1, 0),
    ("world_model.continue_scale_factor", 0, -1e-9),
    ("world_model.clip_gradients", 0, -1e-9),
    ("world_model.vector_gain", 1e-9, 0),
    ("world_model.optimizer.weight_decay", 0, -1e-9),
    ("actor.ent_coef", 0, -1e-9),
    ("actor.min_std", 1e-9, 0),
    ("actor.max_std", 0.1, 0.09),
    ("actor.unimix", 0.999, 1),
    ("actor.moments.decay", 0, -1e-9),
    ("actor.moments.decay", 0.999, 1),
    ("actor.moments.max", 1e-9, 0),
    ("actor.outscale", 0, -1e-9),
    ("critic.tau", 1, 1.001),
    ("critic.tau", 1e-9, 0),
    ("critic.lr_factor", 1e-9, 0),
    ("critic.per_rank_target_network_update_freq", 1, 0),
    ("critic.slow_regularizer", 0, -1e-9),
    ("train.wm_ac_ratio", 1, 0),
    ("train.wm_ac_ratio_max", 2, 1),
    ("train.schedule_updates", 1, 0),
    ("train.lr_cosine_min_factor", 0, -1e-9),
    ("train.lr_cosine_min_factor", 1, 1.001),
    ("train.replay_ratio_cosine_min_factor", 1e-9, 0),
    ("train.replay_ratio_cosine_min_factor", 1, 1.001),
    ("train.average_share", 0, -1e-9),
    ("train.average_share", 0.999, 1),
    ("train.standing_still_action", 0, -1),
    ("train.surprise.ema_beta", 0, -1e-9),
    ("train.surprise.ema_beta", 0.999, 1),
    ("train.surprise.wm_focus_ratio", 1, 0),
    ("train.surprise.wm_focus_cooldown", 0, -1),
    ("eval.every", 0, -1),
    ("eval.episodes", 1, 0),
    ("run.log_every", 1, 0),
    ("run.checkpoint_every", 0, -1),
    ("run.keep_checkpoints", 1, 0),
    ("run.threads", 1, 0),
]


def config_with(**values: Any) -> Config:
    """The default config with these dotted keys."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *parents, last = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    return from_mapping(Config, tree)


@pytest.mark.parametrize(("key", "right", "wrong"), EDGES, ids=[f"{key}={wrong}" for key, _, wrong in EDGES])
def test_a_range_ends_where_it_says(key: str, right: Any, wrong: Any) -> None:
    kept = dotted_items(to_mapping(config_with(**{key: right})))[key]
    assert kept == right
    with pytest.raises(ConfigError, match="must be") as caught:
        config_with(**{key: wrong})
    assert caught.value.key in (key, "actor.moments.percentile.low")  # low < high is said of `low`


@pytest.mark.parametrize(("key", "other"), [("seq_len", "sequence_length"), ("batch_size", "batch_size")])
def test_the_batch_has_one_size_under_two_names(key: str, other: str) -> None:
    message = rf"replay\.{key}: must equal algo\.per_rank_{other} \(\d+\), got 5; set .* and leave replay\.{key} out"
    with pytest.raises(ConfigError, match=message):
        config_with(**{f"replay.{key}": 5})
    config_with(**{f"replay.{key}": 5, f"algo.per_rank_{other}": 5})


def test_a_sequence_has_at_least_two_rows_and_a_batch_one_sequence() -> None:
    for section, rows, sequences in (
        ("replay", "replay.seq_len", "replay.batch_size"),
        ("algo", "algo.per_rank_sequence_length", "algo.per_rank_batch_size"),
    ):
        for key, wrong in ((rows, 1), (sequences, 0)):
            with pytest.raises(ConfigError, match="must be at least") as caught:
                config_with(**{key: wrong})
            assert caught.value.key == key, section


def test_no_number_may_be_absurdly_low() -> None:
    """A new field without a range check fails here."""
    defaults = dotted_items(to_mapping(Config())) | {"env.max_episode_steps": 1}
    numbers = [key for key, value in defaults.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    assert [key for key in numbers if _accepts(key, -(10**9))] == ["actor.init_std"]


@pytest.mark.parametrize("value", [".nan", float("nan"), float("inf"), "-inf", "1e999"])
def test_numbers_must_be_finite(value: Any) -> None:
    for key in ("actor.init_std", "env.success_return", "world_model.optimizer.lr"):
        with pytest.raises(ConfigError, match="must be"):
            config_with(**{key: value})


@pytest.mark.parametrize("betas", [[0.9, 1.0], [-0.1, 0.9]])
def test_momentum_lies_below_one(betas: list[float]) -> None:
    for part in ("algo", "world_model", "actor", "critic"):
        with pytest.raises(ConfigError, match=r"must be in \[0, 1\)") as caught:
            config_with(**{f"{part}.optimizer.betas": betas})
        assert caught.value.key == f"{part}.optimizer.betas"


def test_rules_that_join_two_keys_name_both() -> None:
    with pytest.raises(ConfigError, match=r"algo\.cnn_keys\.decoder: decodes \['b'\], which the encoder \('a',\) ne"):
        config_with(**{"algo.cnn_keys.encoder": ["a"], "algo.cnn_keys.decoder": ["b"]})
    with pytest.raises(ConfigError, match=r"eval\.pass_return: is needed when stop_after_passes is set"):
        config_with(**{"eval.stop_after_passes": 1})
    with pytest.raises(ConfigError, match=r"eval\.every: must be at least 1 when stop_after_passes is set"):
        config_with(**{"eval.stop_after_passes": 1, "eval.pass_return": 1.0, "eval.every": 0})
    for reaction in ("wm_focus", "scale_ac_lr"):
        with pytest.raises(ConfigError, match=r"train\.surprise\.enabled: must be true"):
            config_with(**{f"train.surprise.{reaction}": True})
    with pytest.raises(ConfigError, match=r"recurrent_state_size: must be a multiple of blocks \(8\), got 4095"):
        config_with(**{"algo.recipe": "nature", "world_model.recurrent_model.recurrent_state_size": 4095})


@pytest.mark.parametrize("tag", ["", "a b", "a/b", "../x", "é.", "a\n"])
def test_a_tag_is_a_plain_word(tag: str) -> None:
    with pytest.raises(ConfigError, match=r"run\.tag: may hold letters, digits, '-' and '_'"):
        config_with(**{"run.tag": tag})
    assert config_with(**{"run.tag": "a-b_3"}).run.tag == "a-b_3"


def _accepts(key: str, value: Any) -> bool:
    try:
        config_with(**{key: value})
    except ConfigError:
        return False
    return True
