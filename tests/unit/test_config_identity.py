"""Seed groups and families: what may differ between runs that are compared."""

import pytest

from dreamer_core.config import Config, family, fingerprint, load_config

BASE = "cartpole"


def changed(*words: str) -> Config:
    return load_config(list(words), preset=BASE)


@pytest.mark.parametrize(
    "word",
    ["seed=9", "device=cpu", "run.tag=other", "run.log_every=7", "run.threads=2", "run.save_replay=false"],
)
def test_seed_and_operation_change_neither(word: str) -> None:
    assert fingerprint(changed(word)) == fingerprint(changed())
    assert family(changed(word)) == family(changed())


@pytest.mark.parametrize(
    "word",
    [
        "mode=bootstrap",
        "lr=1e-3",
        "steps=123",
        "algo.replay_ratio=2",
        "algo.learning_starts=1",
        "algo.per_rank_batch_size=4",
        "algo.per_rank_sequence_length=16",
        "algo.imag_last=2",
        "algo.gamma=0.9",
        "algo.horizon=5",
        "algo.lmbda=0.9",
        "actor.unimix=0.05",
        "actor.moments.decay=0.9",
        "critic.replay_loss=false",
        "algo.loss_scales.replay_value=0.1",
        "replay.capacity=1000",
        "precision.autocast=true",
        "world_model.kl_free_nats=0.1",
        "actor.ent_coef=0.1",
        "actor.advantage=plain",
        "train.average_share=0.3",
        "critic.tau=0.3",
        "critic.lr_factor=3",
        "world_model.vector_gain=3",
        "train.wm_ac_ratio=4",
        "train.surprise.enabled=true",
        "env.num_envs=2",
        "eval.every=77",
    ],
)
def test_training_dynamics_are_experiments_within_a_family(word: str) -> None:
    assert fingerprint(changed(word)) != fingerprint(changed())
    assert family(changed(word)) == family(changed())


@pytest.mark.parametrize(
    "word",
    [
        "env.id=Acrobot-v1",
        "env.action_repeat=2",
        "env.max_episode_steps=100",
        "env.obs=pixels",
        "eval.episodes=3",
        "eval.greedy=false",
        "eval.seed_base=5",
        "algo.dense_units=32",
        "world_model.discrete_size=8",
        "world_model.encoder.symlog_inputs=false",
        "world_model.encoder.append_one=false",
        "critic.bins=41",
    ],
)
def test_another_world_protocol_or_network_is_another_family(word: str) -> None:
    assert fingerprint(changed(word)) != fingerprint(changed())
    assert family(changed(word)) != family(changed())


def test_the_recipes_are_different_families() -> None:
    assert family(load_config(preset="nature+debug")) != family(load_config(preset="sheeprl+debug"))


def test_it_is_the_values_that_count_not_the_way_they_were_given() -> None:
    one = load_config(preset="cartpole+debug")
    other = load_config(["eval.pass_return=475"], preset="cartpole+debug")
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(load_config(preset="nature")) == fingerprint(load_config(preset="nature-12m"))


def test_fingerprints_are_short_and_stay_the_same() -> None:
    assert fingerprint(changed()) == fingerprint(changed())
    assert len(fingerprint(changed())) == len(family(changed())) == 12
    assert fingerprint(changed()) != family(changed())
