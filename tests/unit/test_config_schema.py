"""The JSON schema says what the dataclasses say: every key, its type, its default, and what it means."""

from typing import Any

from dreamer_core.config import Config, to_mapping
from dreamer_core.config.parse import dotted_items, known_keys
from dreamer_core.config.schema import config_schema


def leaves(schema: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, inner in schema["properties"].items():
        found |= leaves(inner, f"{path}{name}.") if inner["type"] == "object" else {f"{path}{name}": inner}
    return found


def test_every_key_is_in_the_schema_and_no_other() -> None:
    assert sorted(leaves(config_schema())) == sorted(known_keys(Config))


def test_every_default_is_that_of_its_place() -> None:
    defaults = {key: leaf["default"] for key, leaf in leaves(config_schema()).items()}
    assert defaults == dotted_items(to_mapping(Config()))
    assert defaults["actor.optimizer.lr"] == 8e-5
    assert defaults["world_model.optimizer.lr"] == 1e-4


def test_types_choices_and_lists_are_said() -> None:
    leaf = leaves(config_schema())
    assert leaf["env.num_envs"]["type"] == "integer"
    assert leaf["env.max_episode_steps"]["type"] == ["integer", "null"]
    assert leaf["env.obs"]["enum"] == ["vector", "pixels"]
    assert leaf["world_model.encoder.cnn_stages"]["items"] == {"type": "integer"}
    assert leaf["algo.optimizer.betas"]["prefixItems"] == [{"type": "number"}] * 2
    assert leaf["algo.optimizer.betas"]["items"] is False


def test_the_comment_behind_a_field_is_its_description() -> None:
    schema = config_schema()
    assert leaves(schema)["eval.every"]["description"] == "environment steps; 0 = never"
    assert schema["properties"]["eval"]["description"].startswith("Evaluation during training")
    assert "description" not in leaves(schema)["eval.episodes"]


def test_keys_that_follow_others_or_belong_to_one_recipe_say_so() -> None:
    schema = config_schema()
    leaf = leaves(schema)
    assert leaf["actor.unimix"]["x-follows"] == "algo.unimix"
    assert leaf["actor.optimizer.lr"]["x-short"] == "actor.lr"
    assert leaf["critic.replay_loss"]["x-recipe"] == "nature"
    assert schema["properties"]["actor"]["properties"]["optimizer"]["x-recipe"] == "sheeprl"


def test_no_section_takes_unknown_keys() -> None:
    def check(schema: dict[str, Any]) -> None:
        assert schema["additionalProperties"] is False
        for inner in schema["properties"].values():
            if inner["type"] == "object":
                check(inner)

    check(config_schema())
