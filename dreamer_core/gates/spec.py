"""A gate as data: from YAML or a mapping to checks and back, with errors that say where and what to do."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, cast, get_args

import yaml

from dreamer_core.config.parse import from_mapping, to_mapping
from dreamer_core.errors import ConfigError
from dreamer_core.gates.check import Check
from dreamer_core.gates.checks import CHECKS
from dreamer_core.gates.gate import Gate
from dreamer_core.metrics.names import Direction

_KEYS = ("name", "version", "directions", "checks")
_DIRECTIONS = get_args(Direction)


def gate_from_yaml(text: str) -> Gate:
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none is a ValueError
        raise ConfigError("", f"this is not YAML: {' '.join(str(error).split())}") from None
    return gate_from_mapping(tree)


def gate_from_mapping(tree: Any) -> Gate:
    """`{name, version?, directions?, checks: [{check: its word, ...its settings}]}`"""
    if not isinstance(tree, Mapping):
        raise ConfigError("", f"a gate is a mapping with name and checks, got {tree!r}")
    for key in tree:
        if key not in _KEYS:
            raise ConfigError(str(key), f"unknown key{_near(str(key), _KEYS)}; a gate has {', '.join(_KEYS)}")
    name, version, listed = tree.get("name"), tree.get("version", 1), tree.get("checks")
    if not isinstance(name, str):
        raise ConfigError("name", f"must be text, got {name!r}")
    if not isinstance(version, int) or isinstance(version, bool):
        raise ConfigError("version", f"must be a whole number, got {version!r}")
    if not isinstance(listed, list):
        raise ConfigError("checks", f"must be a list, got {listed!r}")
    checks = tuple(_check(entry, f"checks[{number}]") for number, entry in enumerate(listed))
    return Gate(name=name, version=version, checks=checks, directions=_directions(tree.get("directions") or {}))


def gate_to_mapping(gate: Gate) -> dict[str, Any]:
    """Only what differs from the defaults: read back, it is the same gate."""
    return {
        "name": gate.name,
        "version": gate.version,
        **({"directions": dict(gate.directions)} if gate.directions else {}),
        "checks": [_plain(check) for check in gate.checks],
    }


def _check(entry: Any, where: str) -> Check:
    if not isinstance(entry, Mapping):
        raise ConfigError(where, f"must be a mapping with the key check, got {entry!r}")
    word = entry.get("check")
    if not isinstance(word, str) or word not in CHECKS:
        near = _near(str(word), tuple(CHECKS))
        raise ConfigError(f"{where}.check", f"there is no check {word!r}{near}; known are {', '.join(CHECKS)}")
    settings = {key: value for key, value in entry.items() if key != "check"}
    return cast("Check", from_mapping(cast("Any", CHECKS[word]), settings, where))


def _directions(tree: Any) -> dict[str, Direction]:
    if not isinstance(tree, Mapping):
        raise ConfigError("directions", f"must map metrics to {', '.join(_DIRECTIONS)}, got {tree!r}")
    for key, value in tree.items():
        if value not in _DIRECTIONS:
            raise ConfigError(f"directions.{key}", f"must be one of {', '.join(_DIRECTIONS)}, got {value!r}")
    return {str(key): value for key, value in tree.items()}


def _plain(check: Check) -> dict[str, Any]:
    values = to_mapping(check)
    defaults = {field.name: field.default for field in fields(check)}
    window = {key: value for key, value in values.pop("window", {}).items() if value is not None}
    kept = {key: value for key, value in values.items() if value != _comparable(defaults[key])}
    return {"check": check.kind, **kept, **({"window": window} if window else {})}


def _comparable(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _near(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
