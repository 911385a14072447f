"""Presets, then a file, then words: who wins, what follows what, and which keys would do nothing."""

import json
from pathlib import Path

import pytest

from dreamer_core.config import load_config, preset_names, to_mapping
from dreamer_core.config.layers import FOLLOWS, describe_presets
from dreamer_core.config.parse import dotted_items, known_keys
from dreamer_core.config.tree import Config, Recipe
from dreamer_core.errors import ConfigError
from tests.factories import RECIPES


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "experiment.yaml"
    path.write_text("preset: sheeprl-XS\nalgo: {horizon: 7, gamma: 0.5}\nalgo.lmbda: 0.25\nsteps: 1e3\n")
    return path


def test_a_later_layer_wins_key_by_key(file: Path) -> None:
    config = load_config(["algo.horizon=3"], file=file)
    assert config.algo.horizon == 3  # the word, over the file
    assert config.algo.gamma == 0.5  # the file, over the preset
    assert config.algo.lmbda == 0.25  # dotted in the file
    assert config.algo.total_steps == 1000  # by its short name in the file
    assert config.algo.dense_units == 256  # the preset, over the default
    assert config.algo.unimix == 0.01  # nobody: the default


def test_a_preset_among_the_words_replaces_the_one_of_the_file(file: Path) -> None:
    config = load_config(["preset=sheeprl-S"], file=file)
    assert (config.preset, config.algo.dense_units, config.algo.horizon) == ("sheeprl-S", 512, 7)


def test_without_a_preset_it_is_nature() -> None:
    assert load_config() == load_config(preset="nature")


def test_presets_are_layered_left_to_right() -> None:
    assert load_config(preset="cartpole+debug").algo.total_steps == 64
    assert load_config(preset="debug+cartpole").algo.total_steps == 4000
    config = load_config(["preset=cartpole+debug"])
    assert (config.preset, config.env.id, config.is_nature) == ("cartpole+debug", "CartPole-v1", True)


def test_an_unknown_preset_names_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"preset: unknown preset 'cartpol'; did you mean cartpole\?"):
        load_config(preset="cartpol")
    with pytest.raises(ConfigError, match="preset: unknown preset ''"):
        load_config(preset="cartpole+")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not valid YAML"),
        ("- 1\n- 2", "must hold a mapping of keys, got list"),
        ("algo: {horizn: 3}", "algo.horizn: unknown key; did you mean algo.horizon"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(file=path)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert load_config(file=path) == load_config()


def test_keys_that_follow_others_exist_and_follow_something_else() -> None:
    assert set(FOLLOWS) | set(FOLLOWS.values()) <= set(known_keys(Config))
    assert all(source not in FOLLOWS for source in FOLLOWS.values())


@pytest.mark.parametrize("recipe", RECIPES)
def test_sizes_that_nobody_sets_follow_the_one_they_belong_to(recipe: Recipe) -> None:
    sizes = {
        "algo.dense_units": 24,
        "algo.per_rank_batch_size": 3,
        "algo.per_rank_sequence_length": 9,
        "world_model.encoder.cnn_channels_multiplier": 8,
    }
    values = dotted_items(to_mapping(load_config([f"{key}={value}" for key, value in sizes.items()], preset=recipe)))
    followers = {key: source for key, source in FOLLOWS.items() if source in sizes}
    assert len(followers) == 10
    assert {key: values[key] for key in followers} == {key: sizes[source] for key, source in followers.items()}


def test_the_unimix_of_the_actor_follows_only_in_sheeprl() -> None:
    assert load_config(["algo.unimix=0.5"], preset="sheeprl").actor.unimix == 0.5
    assert load_config(["algo.unimix=0.5"], preset="nature").actor.unimix == 0.0
    assert load_config(["algo.unimix=0.5", "actor.unimix=null"], preset="nature").actor.unimix == 0.5


def test_a_follower_that_is_set_stays_and_null_lets_it_follow_again() -> None:
    assert load_config(["actor.mlp_layers=7"], preset="sheeprl-XS").actor.mlp_layers == 7
    assert load_config(preset="nature").world_model.reward_model.mlp_layers == 1
    reward_model = load_config(["world_model.reward_model.mlp_layers=null"], preset="nature").world_model.reward_model
    assert reward_model.mlp_layers == 3


@pytest.mark.parametrize(
    ("preset", "word", "owner"),
    [
        ("nature", "actor.lr=1e-3", "sheeprl"),
        ("nature", "world_model.optimizer.eps=1e-3", "sheeprl"),
        ("nature", "world_model.decoupled_rssm=true", "sheeprl"),
        ("nature", "critic.clip_gradients=1", "sheeprl"),
        ("sheeprl", "lr=1e-3", "nature"),
        ("sheeprl", "algo.replay_context=1", "nature"),
        ("sheeprl", "algo.loss_scales.policy=0.5", "nature"),
        ("sheeprl", "algo.loss_scales.value=0.5", "nature"),
        ("sheeprl", "world_model.observation_model.cnn_stages=[1, 2]", "nature"),
        ("sheeprl", "critic.replay_loss=true", "nature"),
        ("sheeprl", "replay.online=true", "nature"),
    ],
)
def test_a_key_that_would_do_nothing_is_refused(preset: str, word: str, owner: str) -> None:
    with pytest.raises(ConfigError, match=rf"has no effect with algo\.recipe={preset}; it belongs to {owner}"):
        load_config([word], preset=preset)


def test_a_key_that_would_do_nothing_is_refused_in_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text("preset: nature\nactor: {clip_gradients: 1}\n")
    with pytest.raises(ConfigError, match=r"actor\.clip_gradients: has no effect with algo\.recipe=nature"):
        load_config(file=path)


@pytest.mark.parametrize("preset", ["cartpole", "sheeprl-XS", "nature-1m+debug", "cartpole+sheeprl-S"])
def test_a_saved_config_is_a_file_like_any_other(tmp_path: Path, preset: str) -> None:
    config = load_config(["algo.dense_units=32", "seed=5"], preset=preset)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(to_mapping(config)))
    assert load_config(file=path) == config
    assert load_config(["seed=6"], file=path).seed == 6
    assert load_config(["algo.horizon=4"], file=path).algo.horizon == 4


def test_what_looks_like_a_date_and_is_none_is_text() -> None:
    with pytest.raises(ConfigError, match=r"seed: must be a whole number, got '2026-13-45'"):
        load_config(["seed=2026-13-45"], preset="cartpole")


def test_a_file_that_is_no_text_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    path.write_bytes(b"\x80\x02\xff")
    with pytest.raises(ConfigError, match=r"weights\.yaml cannot be read as text"):
        load_config(file=path)


def test_every_preset_describes_itself() -> None:
    described = describe_presets()
    assert list(described) == preset_names()
    assert described["cartpole"] == "CartPole-v1 from its four numbers, learned in minutes on one core."
    assert all(text.endswith(".") or text.endswith(")") for text in described.values()), described


def test_an_empty_preset_is_an_error_and_not_the_default_one() -> None:
    with pytest.raises(ConfigError, match="preset: names no preset"):
        load_config(["preset="])


def test_a_preset_without_its_key_is_recognized() -> None:
    with pytest.raises(ConfigError, match=r"expected key=value, got 'cartpole'; did you mean preset=cartpole\?"):
        load_config(["cartpole"])


def test_what_is_not_yaml_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("# Notes\n**bold**\n")
    with pytest.raises(ConfigError, match=r"notes\.md is not valid YAML in line 2: .*found '\*'$"):
        load_config(file=file)
