"""What a run's own config becomes: when the run goes on, and when another run is made after it."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from dreamer_core.config.layers import FOLLOWS, merge, parse_words
from dreamer_core.config.parse import dotted_items, from_mapping, to_mapping
from dreamer_core.config.tree import Config
from dreamer_core.errors import ConfigError

# What may change when a run goes on: how long and how it is watched, never what it computes.
_MAY_CHANGE = ("run.", "eval.", "algo.total_steps", "device")


def with_changes(config: Config, words: Sequence[str]) -> Config:
    """The config of a run that goes on. Asking for another computation is an error, not silently ignored."""
    changes = parse_words(words)
    for key in dotted_items(changes):
        if not key.startswith(_MAY_CHANGE):
            raise ConfigError(key, "cannot change when a run is resumed; start a new run, or leave it out")
    tree: dict[str, Any] = to_mapping(config)
    merge(tree, changes)
    return from_mapping(Config, tree)


def as_layer(config: Mapping[str, Any]) -> dict[str, Any]:
    """A whole config as a layer to change. Keys that follow others do so again, where they held the same value."""
    layer = deepcopy(dict(config))
    leaves = dotted_items(layer)
    for key, source in FOLLOWS.items():
        if key in leaves and leaves[key] == leaves.get(source):
            *parents, last = key.split(".")
            section = layer
            for parent in parents:
                section = section[parent]
            del section[last]
    return layer
