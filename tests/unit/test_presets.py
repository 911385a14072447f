"""The presets load, say what they claim, and leave nothing of each other behind."""

from importlib import resources
from typing import Any

import pytest
import yaml

from dreamer_core.config import from_mapping, load_config, preset_names, to_mapping
from dreamer_core.config.parse import dotted_items
from dreamer_core.config.tree import Config

# deter, hidden, classes, CNN depth, units
NATURE_SIZES = {
    "1m": (512, 64, 4, 4, 64),
    "12m": (2048, 256, 16, 16, 256),
    "25m": (3072, 384, 24, 24, 384),
    "50m": (4096, 512, 32, 32, 512),
    "100m": (6144, 768, 48, 48, 768),
    "200m": (8192, 1024, 64, 64, 1024),
    "400m": (12288, 1536, 96, 96, 1536),
}
# recurrent state, units, CNN multiplier, MLP layers
SHEEPRL_SIZES = {
    "XS": (256, 256, 24, 1),
    "S": (512, 512, 32, 2),
    "M": (1024, 640, 48, 3),
    "L": (2048, 768, 64, 4),
    "XL": (4096, 1024, 96, 5),
}


def preset_keys(name: str) -> set[str]:
    text = (resources.files("dreamer_core") / "presets" / f"{name}.yaml").read_text()
    return set(dotted_items(yaml.safe_load(text)))


def numbers(config: Config, *parts: str) -> dict[str, Any]:
    return {key: value for key, value in dotted_items(to_mapping(config)).items() if key.startswith(parts)}


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_survives_a_round_trip(name: str) -> None:
    config = load_config(preset=name)
    assert config.preset == name
    assert from_mapping(Config, to_mapping(config)) == config


def test_the_two_recipes_set_the_same_keys() -> None:
    assert preset_keys("nature") == preset_keys("sheeprl")


@pytest.mark.parametrize(("task", "over"), [("cartpole", "sheeprl-XS"), ("nature-50m", "sheeprl")])
def test_a_recipe_layered_over_the_other_leaves_none_of_its_numbers(task: str, over: str) -> None:
    mixed, pure = load_config(preset=f"{task}+{over}"), load_config(preset=over)
    parts = ("world_model.", "actor.", "critic.", "precision.", "train.")
    schedule = ("train.schedule_updates", "train.lr_cosine_min", "train.replay_ratio_cosine_min")  # no cosine uses them
    one, other = numbers(mixed, *parts), numbers(pure, *parts)
    assert {key for key in one if one[key] != other[key] and not key.startswith(schedule)} == set()
    # The task keeps its length and its sequences' length; LaProp is not used.
    ignored = ("algo.optimizer.", "algo.per_rank_sequence_length", "algo.total_steps")
    left = {
        key: (value, numbers(pure, "algo.")[key])
        for key, value in numbers(mixed, "algo.").items()
        if value != numbers(pure, "algo.")[key] and not key.startswith(ignored)
    }
    assert left == {}
    assert mixed.replay.online is False


def test_nature_over_sheeprl_is_nature() -> None:
    parts = ("world_model.", "actor.", "critic.", "algo.", "replay.")
    mixed, pure = load_config(preset="sheeprl-XL+nature-12m"), load_config(preset="nature-12m")
    assert numbers(mixed, *parts) == numbers(pure, *parts)


@pytest.mark.parametrize("size", NATURE_SIZES)
def test_the_sizes_of_nature(size: str) -> None:
    config = load_config(preset=f"nature-{size}")
    model = config.world_model
    found = (
        model.recurrent_model.recurrent_state_size,
        model.recurrent_model.hidden_size,
        model.discrete_size,
        model.encoder.cnn_channels_multiplier,
        config.algo.dense_units,
    )
    assert found == NATURE_SIZES[size]
    assert model.transition_model.hidden_size == model.representation_model.hidden_size == found[1]
    assert model.observation_model.cnn_channels_multiplier == found[3]
    assert {part.dense_units for part in (model.encoder, model.observation_model, config.actor)} == {found[4]}


@pytest.mark.parametrize("size", SHEEPRL_SIZES)
def test_the_sizes_of_sheeprl(size: str) -> None:
    config = load_config(preset=f"sheeprl-{size}")
    model = config.world_model
    found = (
        model.recurrent_model.recurrent_state_size,
        model.recurrent_model.dense_units,
        model.encoder.cnn_channels_multiplier,
        config.critic.mlp_layers,
    )
    assert found == SHEEPRL_SIZES[size]
    assert model.transition_model.hidden_size == model.representation_model.hidden_size == found[1]
    assert {model.reward_model.mlp_layers, model.discount_model.mlp_layers, config.actor.mlp_layers} == {found[3]}


def test_the_numbers_that_tell_the_recipes_apart() -> None:
    nature, sheeprl = load_config(preset="nature"), load_config(preset="sheeprl")
    assert (nature.world_model.kl_dynamic, sheeprl.world_model.kl_dynamic) == (1.0, 0.5)
    assert (nature.algo.norm_eps, sheeprl.algo.norm_eps) == (1e-4, 1e-3)
    assert (nature.actor.unimix, sheeprl.actor.unimix) == (0.0, 0.01)
    assert (nature.critic.replay_loss, sheeprl.critic.replay_loss) == (True, False)
    assert (nature.world_model.continue_discount, sheeprl.world_model.continue_discount) == (True, False)
    assert (nature.algo.replay_context, sheeprl.algo.replay_context) == (1, 0)
    assert (nature.algo.mlp_layers, nature.world_model.reward_model.mlp_layers) == (3, 1)
    assert (nature.world_model.transition_model.layers, sheeprl.world_model.transition_model.layers) == (2, 1)
    assert nature.algo.optimizer.lr == 4e-5
    assert (sheeprl.actor.optimizer.lr, sheeprl.world_model.optimizer.lr) == (8e-5, 1e-4)
    assert (nature.replay.online, sheeprl.replay.online) == (True, False)
