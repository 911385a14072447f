"""What a run's own config becomes when it goes on, and when another run is made after it."""

import pytest

from dreamer_core.config import load_config, to_mapping
from dreamer_core.config.changes import as_layer, with_changes
from dreamer_core.errors import ConfigError


def test_a_run_that_goes_on_may_be_longer_and_watched_otherwise() -> None:
    config = load_config(["preset=cartpole"])
    changed = with_changes(config, ["steps=8000", "run.log_every=50", "eval.episodes=3", "device=cpu"])
    assert (changed.algo.total_steps, changed.run.log_every, changed.eval.episodes) == (8000, 50, 3)
    assert changed.actor == config.actor


@pytest.mark.parametrize("word", ["algo.horizon=3", "seed=1", "preset=pendulum", "lr=0.1"])
def test_a_run_that_goes_on_computes_what_it_did(word: str) -> None:
    with pytest.raises(ConfigError, match="cannot change when a run is resumed"):
        with_changes(load_config(["preset=cartpole"]), [word])


def test_a_whole_config_as_a_layer_makes_the_same_config() -> None:
    config = load_config(["preset=cartpole", "actor.dense_units=48"])
    assert load_config(layer=as_layer(to_mapping(config))) == config


def test_keys_that_follow_another_follow_its_change() -> None:
    config = load_config(["preset=cartpole"])
    changed = load_config(["algo.per_rank_batch_size=4"], layer=as_layer(to_mapping(config)))
    assert changed.replay.batch_size == 4


def test_keys_that_were_set_apart_stay_apart() -> None:
    config = load_config(["preset=cartpole", "actor.dense_units=48"])
    changed = load_config(["algo.dense_units=32"], layer=as_layer(to_mapping(config)))
    assert (changed.actor.dense_units, changed.critic.dense_units) == (48, 32)


def test_the_config_itself_is_left_alone() -> None:
    mapping = to_mapping(load_config(["preset=cartpole"]))
    as_layer(mapping)
    assert mapping == to_mapping(load_config(["preset=cartpole"]))
