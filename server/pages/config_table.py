"""A run's settings beside those of its preset."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dreamer_core.config.parse import dotted_items
from dreamer_core.errors import UsageError
from server.configs.resolve import resolve_preset


@dataclass(frozen=True, kw_only=True)
class Setting:
    key: str
    value: Any
    preset: Any
    changed: bool


def compare(config: Mapping[str, Any], preset: str | None) -> list[Setting]:
    """In the config's own order. Beside a preset that is not known here, nothing counts as changed."""
    base = _preset(preset)
    return [
        Setting(key=key, value=value, preset=base.get(key), changed=_differs(key, value, base))
        for key, value in dotted_items(config).items()
        if key != "preset"
    ]


def differences(config: Mapping[str, Any], preset: str | None) -> list[Setting]:
    return [setting for setting in compare(config, preset) if setting.changed]


def is_known(preset: str | None) -> bool:
    return bool(_preset(preset))


def _differs(key: str, value: Any, base: Mapping[str, Any]) -> bool:
    """A seed is never a change of the preset."""
    return bool(base) and key != "seed" and value != base.get(key)


@lru_cache(maxsize=64)  # presets do not change while the server runs, and reading one takes 20 ms
def _preset(name: str | None) -> dict[str, Any]:
    if not name:
        return {}
    try:
        return dotted_items(resolve_preset(name).config)
    except UsageError:  # a preset of another version, or of a foreign trainer
        return {}
