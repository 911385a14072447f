"""From what a request says about a config to the whole of it, by the core's own rules and in the core's own words."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import Field

from dreamer_core.config import Config, family, fingerprint, from_mapping, load_config, to_mapping
from dreamer_core.config.changes import with_changes
from dreamer_core.config.layers import parse_words
from dreamer_core.config.parse import dotted_items
from server.errors import InvalidError
from server.jsonvalues import JsonObject, Text, check

_LONGEST = 120  # of a text in a config: names of environments and presets have columns of this width

Word = Annotated[Text, Field(max_length=1000)]
Words = Annotated[
    list[Word],
    Field(max_length=200, description="KEY=VALUE, as on the command line", examples=[["preset=cartpole", "seed=1"]]),
]
Layer = Annotated[
    JsonObject, Field(description="a layer between the presets and the words, nested or with dotted keys")
]


class Resolved(NamedTuple):
    """A whole config, and what is said of it without reading all of it."""

    config: dict[str, Any]
    preset: str
    env: str
    recipe: str
    mode: str
    seed: int
    total_steps: int
    family: str
    fingerprint: str


def resolve(words: Sequence[str], layer: Mapping[str, Any] | None = None) -> Resolved:
    """Raises the core's ConfigError, or InvalidError for what the core would take and a table could not."""
    _check_words(words)
    _check_keys(layer or {})
    config = load_config(words, layer=layer)
    mapping = to_mapping(config)
    _check_texts(mapping)
    return _describe(config, mapping)


def resolve_changes(config: Mapping[str, Any], words: Sequence[str]) -> Resolved:
    """The config of a run that goes on, with what may change then."""
    _check_words(words)
    changed = with_changes(from_mapping(Config, config), words)
    mapping = to_mapping(changed)
    _check_texts(mapping)
    return _describe(changed, mapping)


def resolve_preset(name: str) -> Resolved:
    config = load_config(preset=name)
    return _describe(config, to_mapping(config))


def _describe(config: Config, mapping: dict[str, Any]) -> Resolved:
    return Resolved(
        config=mapping,
        preset=config.preset,
        env=config.env.id,
        recipe=config.algo.recipe,
        mode=config.mode,
        seed=config.seed,
        total_steps=config.algo.total_steps,
        family=family(config),
        fingerprint=fingerprint(config),
    )


def _check_words(words: Sequence[str]) -> None:
    for word in words:
        # A few nested aliases stand for more values than any memory holds.
        if "*" in word and _has_alias(word.partition("=")[2]):
            raise InvalidError("A value may not use YAML's aliases.", where="words", seen=word)
    try:
        check(parse_words(words))
    except ValueError as error:
        raise InvalidError(f"A value cannot be kept: {error}.", where="words") from None


def _has_alias(text: str) -> bool:
    try:
        return any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))
    except yaml.YAMLError:
        return False  # then it is read as plain text


def _check_keys(layer: Mapping[str, Any]) -> None:
    for key in layer:
        if len(key) > _LONGEST:  # each dot is a section in a section, and Python can only go so deep
            raise InvalidError(f"A key may have {_LONGEST} characters.", where="config", seen=key)


def _check_texts(mapping: Mapping[str, Any]) -> None:
    for key, value in dotted_items(mapping).items():
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and len(text) > _LONGEST for text in texts):
            raise InvalidError(f"{key}: may have {_LONGEST} characters", where=key, seen=value)
