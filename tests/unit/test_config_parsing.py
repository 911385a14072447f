"""From words and mappings to typed values: what is understood, what is refused, and how it is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer_core.config import Config, from_mapping, to_mapping
from dreamer_core.config.checks import MAX_SEED
from dreamer_core.config.layers import parse_words
from dreamer_core.config.model import OptimizerConfig
from dreamer_core.errors import USAGE, ConfigError


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"lr": "1e-4"}, 1e-4),  # what YAML 1.1 makes of 1e-4
        ({"lr": "0.25"}, 0.25),
        ({"lr": 1}, 1.0),
        ({"lr": "1_0.5"}, 10.5),
    ],
)
def test_numbers_are_read_however_yaml_hands_them_over(section: dict[str, Any], expected: float) -> None:
    value = from_mapping(OptimizerConfig, section).lr
    assert value == expected
    assert type(value) is float


@pytest.mark.parametrize(("given", "expected"), [("1e6", 1_000_000), (1e3, 1000), ("1_000", 1000), (7, 7), ("7.0", 7)])
def test_whole_numbers_are_read_however_they_are_written(given: Any, expected: int) -> None:
    value = from_mapping(Config, {"algo": {"total_steps": given}}).algo.total_steps
    assert value == expected
    assert type(value) is int


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"algo": {"horizon": True}}, "algo.horizon: must be a whole number, got True"),
        ({"algo": {"horizon": 1.5}}, "algo.horizon: must be a whole number, got 1.5"),
        ({"algo": {"horizon": "x"}}, "algo.horizon: must be a whole number, got 'x'"),
        ({"algo": {"horizon": None}}, "algo.horizon: must be a whole number, got None"),
        ({"algo": {"horizon": [3]}}, "algo.horizon: must be a whole number, got [3]"),
        ({"algo": {"gamma": "x"}}, "algo.gamma: must be a number, got 'x'"),
        ({"algo": {"gamma": False}}, "algo.gamma: must be a number, got False"),
        ({"algo": {"hafner_initialization": 1}}, "algo.hafner_initialization: must be true or false, got 1"),
        ({"algo": {"hafner_initialization": "yes"}}, "algo.hafner_initialization: must be true or false, got 'yes'"),
        ({"run": {"tag": 3}}, "run.tag: must be text, got 3"),
        ({"algo": 3}, "algo: must be a section of keys, got 3"),
        ({"algo": {"optimizer": None}}, "algo.optimizer: must be a section of keys, got None"),
        ({"algo": {"mlp_keys": {"encoder": "state"}}}, "algo.mlp_keys.encoder: must be a list, got 'state'"),
        ({"algo": {"mlp_keys": {"encoder": ["a", 3]}}}, "algo.mlp_keys.encoder[1]: must be text, got 3"),
        ({"actor": {"optimizer": {"betas": [0.9]}}}, "actor.optimizer.betas: must have 2 entries, got 1: [0.9]"),
        ({"env": {"max_episode_steps": "x"}}, "env.max_episode_steps: must be a whole number, got 'x'"),
        ({"mode": "trian"}, "mode: must be one of train, bootstrap, dreamer, standing_still, got 'trian'; did you"),
        ({"precision": {"rnn_dtype": "float16"}}, "precision.rnn_dtype: must be one of float32, got 'float16'"),
        ({"device": 3}, "device: must be one of auto, cpu, cuda, got 3"),
    ],
)
def test_a_wrong_type_is_refused_with_the_key_and_the_value(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_mapping(Config, tree)
    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == USAGE


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"algo": {"horizn": 3}}, "algo.horizn: unknown key; did you mean algo.horizon?"),
        ({"seeed": 3}, "seeed: unknown key; did you mean seed?"),
        ({"world_model": {"kl_free_nat": 1}}, "did you mean world_model.kl_free_nats?"),
        ({"kl_dynamic": 1}, "kl_dynamic: unknown key; did you mean world_model.kl_dynamic?"),
        ({"algo": {"bins": 255}}, "did you mean world_model.reward_model.bins"),  # the right word elsewhere
        ({"zzzzzz": 1}, "zzzzzz: unknown key"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_mapping(Config, tree)
    assert message in str(caught.value)


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    with pytest.raises(ConfigError) as caught:
        from_mapping(Config, {"zzzzzz": 1})
    assert "did you mean" not in str(caught.value)


def test_a_section_given_in_part_keeps_the_other_defaults_of_its_place() -> None:
    """The optimizers of actor and critic have an epsilon of their own; setting their rate must not reset it."""
    config = from_mapping(Config, {"actor": {"optimizer": {"lr": 0.5}}, "critic": {"optimizer": {}}})
    assert config.actor.optimizer == OptimizerConfig(lr=0.5, eps=1e-5)
    assert config.critic.optimizer == OptimizerConfig(lr=8e-5, eps=1e-5)
    assert from_mapping(Config, {"world_model": {"optimizer": {"lr": 0.5}}}).world_model.optimizer.eps == 1e-8


def test_null_is_a_value_only_where_it_means_something() -> None:
    assert from_mapping(Config, {"env": {"max_episode_steps": None}}).env.max_episode_steps is None
    with pytest.raises(ConfigError, match=r"seed: must be a whole number, got None"):
        from_mapping(Config, {"seed": None})


def test_words_become_a_nested_mapping_of_yaml_values() -> None:
    words = ["seed=3", "algo.horizon=5", "algo.gamma=0.5", "run.tag=", "env.grayscale=true"]
    assert parse_words([*words, "algo.mlp_keys.encoder=[a]"]) == {
        "seed": 3,
        "algo": {"horizon": 5, "gamma": 0.5, "mlp_keys": {"encoder": ["a"]}},
        "run": {"tag": ""},
        "env": {"grayscale": True},
    }


def test_a_word_keeps_what_follows_its_first_equals_sign() -> None:
    assert parse_words(["env.id=a=b"]) == {"env": {"id": "a=b"}}


def test_a_word_that_is_not_yaml_is_text() -> None:
    assert parse_words(["run.tag=[a"]) == {"run": {"tag": "[a"}}


def test_of_two_words_for_one_key_the_later_wins() -> None:
    assert parse_words(["seed=1", "seed=2"]) == {"seed": 2}


def test_aliases_stand_for_their_keys() -> None:
    assert parse_words(["actor.lr=1", "critic.lr=2", "world_model.lr=3", "lr=4", "steps=5"]) == {
        "actor": {"optimizer": {"lr": 1}},
        "critic": {"optimizer": {"lr": 2}},
        "world_model": {"optimizer": {"lr": 3}},
        "algo": {"optimizer": {"lr": 4}, "total_steps": 5},
    }


@pytest.mark.parametrize("word", ["seed", "=3", ""])
def test_a_word_without_key_and_value_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=f"expected key=value, got {word!r}"):
        parse_words([word])


def test_a_key_cannot_be_a_value_and_a_section() -> None:
    with pytest.raises(ConfigError, match="algo is a value, not a section"):
        parse_words(["algo=3", "algo.horizon=5"])


numbers = st.floats(min_value=1e-6, max_value=1.0)


@given(
    seed=st.integers(0, MAX_SEED),
    lr=numbers,
    tau=numbers,
    keys=st.lists(st.text(min_size=1, max_size=5), max_size=3),
    stages=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    limit=st.none() | st.integers(1, 10**9),
)
def test_a_config_survives_being_written_and_read(
    seed: int, lr: float, tau: float, keys: list[str], stages: list[int], limit: int | None
) -> None:
    tree = {
        "seed": seed,
        "actor": {"optimizer": {"lr": lr}},
        "critic": {"tau": tau},
        "algo": {"mlp_keys": {"encoder": keys}},
        "world_model": {"encoder": {"cnn_stages": stages}},
        "env": {"max_episode_steps": limit},
    }
    config = from_mapping(Config, tree)
    assert config.seed == seed
    assert config.actor.optimizer.lr == lr
    assert config.algo.mlp_keys.encoder == tuple(keys)
    assert from_mapping(Config, to_mapping(config)) == config
