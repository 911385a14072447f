"""What the launch form offers from the core: presets in groups, and every setting with its default and meaning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dreamer_core.config.layers import describe_presets
from dreamer_core.config.schema import config_schema

_RECIPES = ("nature", "sheeprl")


@dataclass(frozen=True, kw_only=True)
class Key:
    """A setting, by the name that an override uses."""

    key: str
    kind: str  # its type, or the words it may be
    default: Any
    text: str


@dataclass(frozen=True, kw_only=True)
class Preset:
    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class PresetGroup:
    title: str
    presets: list[Preset]


@cache
def setting_keys() -> tuple[Key, ...]:
    """In the config's own order. The preset and the seeds have fields of their own."""
    return tuple(key for key in _keys(config_schema(), "") if key.key not in ("preset", "seed"))


def preset_groups() -> list[PresetGroup]:
    """Tasks first: they say everything that a run needs. Recipes and their sizes need an environment."""
    texts = describe_presets()
    tasks = [name for name in texts if name.partition("-")[0] not in _RECIPES]
    groups = [("Tasks", tasks), *((f"Recipe {recipe}", _of(recipe, texts)) for recipe in _RECIPES)]
    return [PresetGroup(title=title, presets=[Preset(name=n, text=texts[n]) for n in names]) for title, names in groups]


def _of(recipe: str, texts: Mapping[str, str]) -> list[str]:
    return [name for name in texts if name.partition("-")[0] == recipe]


def _keys(section: Mapping[str, Any], prefix: str) -> Iterator[Key]:
    for name, schema in section["properties"].items():
        if "properties" in schema:
            yield from _keys(schema, f"{prefix}{name}.")
        else:
            yield Key(
                key=f"{prefix}{name}",
                kind=_kind(schema),
                default=schema.get("default"),
                text="; ".join(_remarks(schema)),
            )


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(schema["enum"])
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return " | ".join(types)


def _remarks(schema: Mapping[str, Any]) -> Iterator[str]:
    if "description" in schema:
        yield schema["description"]
    if "x-recipe" in schema:
        yield f"{schema['x-recipe']} only"
    if "x-follows" in schema:
        yield f"as {schema['x-follows']}"
    if "x-short" in schema:
        yield f"also {schema['x-short']}"
