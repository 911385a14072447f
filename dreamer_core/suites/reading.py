"""Suites as YAML and back. Whatever does not fit is refused with its place."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import yaml

from dreamer_core.config import load_config
from dreamer_core.config.parse import from_mapping, to_mapping
from dreamer_core.errors import ConfigError, UsageError
from dreamer_core.gates import Gate, gate_from_mapping, gate_to_mapping
from dreamer_core.suites.cron import Schedule
from dreamer_core.suites.spec import Scenario, StopEarly, Suite

_KEYS = ("name", "version", "question", "schedule", "confirm", "stop_early", "gates", "scenarios")


@dataclass(frozen=True, kw_only=True)
class _Head:
    """The keys of a suite that are plain values."""

    name: str
    version: int = 1
    question: str = ""
    confirm: int = 0
    stop_early: StopEarly = "never"


class _Loader(yaml.SafeLoader):
    """A key that is written twice is refused: the first one, perhaps with a threshold, would be silently lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for name in (name for name, _ in node.value if isinstance(name, yaml.ScalarNode)):
            if name.value in seen:
                raise ConfigError(name.value, f"is written twice, again in line {name.start_mark.line + 1}")
            seen.add(name.value)
        return super().construct_mapping(node, deep)


def suite_from_yaml(text: str) -> Suite:
    try:
        tree = _Loader(text).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError("", f"this is not YAML: {' '.join(str(error).split())}") from None
    return suite_from_mapping(tree)


def suite_from_mapping(tree: Any) -> Suite:
    """`{name, version?, question?, schedule?, confirm?, stop_early?, gates: [...], scenarios: [...]}`"""
    suite = stored_suite(tree)
    for place, scenario in enumerate(suite.scenarios):
        _check_words(scenario, f"scenarios[{place}].words")
    return suite


def stored_suite(tree: Any) -> Suite:
    """The same, but whether its words make a configuration is not asked again: that takes long, and presets change."""
    if not isinstance(tree, Mapping):
        raise ConfigError("", f"a suite is a mapping with name and scenarios, got {tree!r:.80}")
    for key in tree:
        if key not in _KEYS:
            raise ConfigError(str(key), f"unknown key; a suite has {', '.join(_KEYS)}")
    for key in ("name", "scenarios"):
        if key not in tree:
            raise ConfigError(key, "is missing")
    plain = {key: tree[key] for key in ("name", "version", "question", "confirm", "stop_early") if key in tree}
    checked = from_mapping(_Head, plain)
    return Suite(
        **{key: getattr(checked, key) for key in plain},
        schedule=_schedule(tree.get("schedule")),
        gates=tuple(_gate(one, f"gates[{place}]") for place, one in enumerate(_list(tree, "gates"))),
        scenarios=tuple(
            from_mapping(Scenario, one, f"scenarios[{place}]") for place, one in enumerate(_list(tree, "scenarios"))
        ),
    )


def suite_to_mapping(suite: Suite) -> dict[str, Any]:
    """Only what differs from the defaults: read back, it is the same suite."""
    head = {field.name: getattr(suite, field.name) for field in fields(_Head)}
    plain = {key: value for key, value in head.items() if key == "name" or value != getattr(_Head(name=""), key)}
    plain |= {} if suite.schedule is None else {"schedule": str(suite.schedule)}
    plain |= {"gates": [gate_to_mapping(gate) for gate in suite.gates]} if suite.gates else {}
    return plain | {"scenarios": [_plain(scenario) for scenario in suite.scenarios]}


def _plain(scenario: Scenario) -> dict[str, Any]:
    tree = to_mapping(scenario)
    said = [field.name for field in fields(scenario) if getattr(scenario, field.name) != field.default]
    uses = [{key: value for key, value in use.items() if value is not None} for use in tree["gates"]]
    return {**{name: tree[name] for name in said}, "gates": uses}


def _schedule(value: Any) -> Schedule | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigError("schedule", f"must be text like 0 3 * * *, got {value!r:.80}")
    return Schedule(value)


def _list(tree: Mapping[str, Any], key: str) -> list[Any]:
    value = tree.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError(key, f"must be a list, got {value!r:.80}")
    return value


def _gate(tree: Any, where: str) -> Gate:
    try:
        return gate_from_mapping(tree)
    except ConfigError as error:
        raise _moved(error, where) from None


def _check_words(scenario: Scenario, where: str) -> None:
    if scenario.words:
        try:
            load_config(scenario.words)
        except UsageError as error:
            raise ConfigError(where, str(error)) from None


def _moved(error: ConfigError, where: str) -> ConfigError:
    key = f"{where}.{error.key}" if error.key else where
    return ConfigError(key, str(error).removeprefix(f"{error.key}: "))
