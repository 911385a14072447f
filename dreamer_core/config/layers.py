"""A config in layers: presets, then a file, then `key=value` words. Each layer says only what it changes."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from dreamer_core.config.parse import default_of, from_mapping, suggestion, to_mapping
from dreamer_core.config.tree import Config
from dreamer_core.errors import ConfigError

# Short forms that people type.
ALIASES = {
    "actor.lr": "actor.optimizer.lr",
    "critic.lr": "critic.optimizer.lr",
    "world_model.lr": "world_model.optimizer.lr",
    "lr": "algo.optimizer.lr",
    "steps": "algo.total_steps",
}

# A key that no layer sets takes the value of another, as in sheeprl's configuration.
FOLLOWS = {
    "replay.seq_len": "algo.per_rank_sequence_length",
    "replay.batch_size": "algo.per_rank_batch_size",
    "actor.unimix": "algo.unimix",
    "world_model.observation_model.cnn_channels_multiplier": "world_model.encoder.cnn_channels_multiplier",
    "world_model.observation_model.cnn_stages": "world_model.encoder.cnn_stages",
    "world_model.observation_model.cnn_kernel_size": "world_model.encoder.cnn_kernel_size",
    "world_model.recurrent_model.dense_units": "algo.dense_units",
    **{
        f"{part}.{key}": f"algo.{key}"
        for key in ("mlp_layers", "dense_units")
        for part in (
            "world_model.encoder",
            "world_model.observation_model",
            "world_model.reward_model",
            "world_model.discount_model",
            "actor",
            "critic",
        )
    },
}

# Keys that only one recipe reads. Setting one under the other recipe would silently do nothing.
ONLY = {
    "nature": (
        "algo.optimizer",
        "algo.replay_context",
        "algo.loss_scales.policy",
        "algo.loss_scales.value",
        "algo.loss_scales.replay_value",
        "world_model.continue_discount",
        "world_model.encoder.cnn_stages",
        "world_model.encoder.cnn_kernel_size",
        "world_model.observation_model.cnn_stages",
        "world_model.observation_model.cnn_kernel_size",
        "world_model.observation_model.block_space",
        "world_model.recurrent_model.hidden_size",
        "world_model.recurrent_model.blocks",
        "world_model.recurrent_model.dynamics_layers",
        "actor.outscale",
        "critic.outscale",
        "critic.replay_loss",
        "critic.replay_grad",
        "replay.online",
    ),
    "sheeprl": (
        "algo.hafner_initialization",
        "world_model.optimizer",
        "world_model.clip_gradients",
        "world_model.decoupled_rssm",
        "world_model.learnable_initial_recurrent_state",
        "world_model.recurrent_model.dense_units",
        "actor.optimizer",
        "actor.clip_gradients",
        "actor.action_clip",
        "critic.optimizer",
        "critic.clip_gradients",
    ),
}

Tree = dict[str, Any]


def load_config(
    words: Sequence[str] = (),
    *,
    file: Path | None = None,
    layer: Mapping[str, Any] | None = None,
    preset: str | None = None,
) -> Config:
    """Presets joined by `+`, left to right, then the file or a `layer` like one, then the words; later layers win."""
    overrides = parse_words(words)
    if "preset" in overrides and not overrides["preset"]:
        raise ConfigError("preset", "names no preset; see `dreamgate presets`")
    from_file = _read_yaml(_read_text(file), str(file)) if file else _sections(layer or {})
    name = preset or overrides.pop("preset", None) or from_file.pop("preset", None) or "nature"
    tree: Tree = {}
    for part in str(name).split("+"):
        merge(tree, _preset(part))
    base = deepcopy(tree)
    for layer in (from_file, overrides):
        merge(tree, layer)
    config = _build(tree, str(name))
    for layer in (from_file, overrides):
        _refuse_inert(base, layer, config)
        merge(base, layer)
    return config


def parse_words(words: Iterable[str]) -> Tree:
    """`a.b=c` words to a nested mapping; values are read as YAML."""
    tree: Tree = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            hint = f"; did you mean preset={word}?" if word in preset_names() else ""
            raise ConfigError("", f"expected key=value, got {word!r}{hint}")
        try:
            value = yaml.safe_load(text) if text else ""
        except (yaml.YAMLError, ValueError):  # ValueError: what looks like a date and is none
            value = text
        except RecursionError:
            raise ConfigError(key, "is nested too deep") from None
        _set(tree, ALIASES.get(key, key), value)
    return tree


def preset_names() -> list[str]:
    folder = resources.files("dreamer_core") / "presets"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def describe_presets() -> dict[str, str]:
    """Each preset and the comment on its first line."""
    folder = resources.files("dreamer_core") / "presets"
    return {name: (folder / f"{name}.yaml").read_text().splitlines()[0].lstrip("# ") for name in preset_names()}


def _preset(name: str) -> Tree:
    """One preset with everything it extends below it."""
    if name not in preset_names():
        raise ConfigError(
            "preset", f"unknown preset {name!r}{suggestion(name, preset_names())}; see `dreamgate presets`"
        )
    own = _read_yaml((resources.files("dreamer_core") / "presets" / f"{name}.yaml").read_text(), f"preset {name}")
    tree: Tree = {}
    for base in own.pop("extends", []):
        merge(tree, _preset(base))
    merge(tree, own)
    return tree


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("", f"{file} cannot be read as text: {error}") from error


def _yaml_problem(error: Exception) -> str:
    """In one line; PyYAML says it in six."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f" in line {error.problem_mark.line + 1}: {error.problem}"
    return f": {' '.join(str(error).split())}"


def _read_yaml(text: str, source: str) -> Tree:
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError("", f"{source} is not valid YAML{_yaml_problem(error)}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError("", f"{source} must hold a mapping of keys, got {type(value).__name__}")
    return _sections(value)


def _sections(mapping: Mapping[str, Any]) -> Tree:
    """Nested, where keys were dotted or short."""
    tree: Tree = {}
    for key, item in mapping.items():
        merge(tree, _nest(ALIASES.get(str(key), str(key)), item))
    return tree


def _nest(dotted: str, value: Any) -> Tree:
    for name in reversed(dotted.split(".")):
        value = {name: value}
    return dict(value)


def merge(base: Tree, layer: Mapping[str, Any]) -> None:
    """Lay `layer` over `base`, section by section."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = deepcopy(value)


def _set(tree: Tree, dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for depth, parent in enumerate(parents):
        tree = tree.setdefault(parent, {})
        if not isinstance(tree, dict):
            raise ConfigError(dotted, f"{'.'.join(parents[: depth + 1])} is a value, not a section")
    tree[last] = value


def _get(tree: Mapping[str, Any], dotted: str) -> Any:
    node: Any = tree
    for name in dotted.split("."):
        if not isinstance(node, Mapping) or name not in node:
            return None
        node = node[name]
    return node


def _follow(tree: Tree) -> None:
    for key, source in FOLLOWS.items():
        if _get(tree, key) is None:
            value = _get(tree, source)
            _set(tree, key, default_of(Config, source) if value is None else value)


def _refuse_inert(base: Tree, layer: Tree, config: Config) -> None:
    """A layer may repeat what the other recipe's keys hold anyway, as a saved config does, but not change them."""
    other = "sheeprl" if config.is_nature else "nature"
    given = [key for key in ONLY[other] if _get(layer, key) is not None]
    if not given:
        return
    said, unsaid = deepcopy(base), deepcopy(base)
    merge(said, layer)
    merge(unsaid, _without(layer, given))
    changed, kept = (to_mapping(_build(tree, config.preset)) for tree in (said, unsaid))
    for key in given:
        if _get(changed, key) != _get(kept, key):
            raise ConfigError(key, f"has no effect with algo.recipe={config.algo.recipe}; it belongs to {other}")


def _without(layer: Tree, keys: Iterable[str]) -> Tree:
    rest = deepcopy(layer)
    for key in keys:
        *parents, last = key.split(".")
        del _get(rest, ".".join(parents))[last]
    return rest


def _build(tree: Tree, preset: str) -> Config:
    """The tree with the keys that follow others filled in, checked and frozen."""
    whole = deepcopy(tree) | {"preset": preset}
    _follow(whole)
    return from_mapping(Config, whole)
