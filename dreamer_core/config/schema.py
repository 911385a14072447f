"""The configuration as JSON Schema 2020-12, made from the dataclasses: types, choices, defaults, and their comments."""

import ast
import inspect
import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from dreamer_core.config.layers import ALIASES, FOLLOWS, ONLY
from dreamer_core.config.parse import to_mapping
from dreamer_core.config.tree import Config

Schema = dict[str, Any]

_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}
_RECIPES = {key: recipe for recipe, keys in ONLY.items() for key in keys}
_SHORT = {key: word for word, key in ALIASES.items()}


@cache
def config_schema() -> Schema:
    """Beyond the standard: `x-recipe` alone reads a key, `x-follows` is whose value it takes, `x-short` a word."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of a run",
        **_section(Config, to_mapping(Config()), ""),
    }


def _section(kind: type[Any], defaults: dict[str, Any], path: str) -> Schema:
    """Sections stand where they are used, not behind references: the defaults of a kind differ from place to place."""
    hints, comments = get_type_hints(kind), _comments(kind)
    properties = {}
    for field in fields(kind):
        key = f"{path}{field.name}"
        schema = _field(hints[field.name], defaults[field.name], key)
        if field.name in comments:
            schema.setdefault("description", comments[field.name])
        properties[field.name] = schema
    said = {"description": _docstring(kind)} if _docstring(kind) else {}
    return {"type": "object", **said, "properties": properties, "additionalProperties": False}


def _field(hint: Any, default: Any, key: str) -> Schema:
    is_section = isinstance(hint, type) and is_dataclass(hint)
    schema = _section(hint, default, f"{key}.") if is_section else _value(hint) | {"default": default}
    for word, table in (("x-recipe", _RECIPES), ("x-follows", FOLLOWS), ("x-short", _SHORT)):
        if key in table:
            schema[word] = table[key]
    return schema


def _value(hint: Any) -> Schema:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(args)}
    if origin in (Union, types.UnionType):
        [inner] = [_value(arg) for arg in args if arg is not type(None)]
        return inner | {"type": [inner["type"], "null"]}
    if origin is tuple and args[-1] is Ellipsis:
        return {"type": "array", "items": _value(args[0])}
    if origin is tuple:
        ends = {"items": False, "minItems": len(args), "maxItems": len(args)}
        return {"type": "array", "prefixItems": [_value(arg) for arg in args], **ends}
    return {"type": _TYPES[hint]}


def _docstring(kind: type[Any]) -> str | None:
    """Only one that somebody wrote: dataclasses make up their own, the signature."""
    written = kind.__doc__ or ""
    return None if written.startswith(f"{kind.__name__}(") else inspect.cleandoc(written)


def _comments(kind: type[Any]) -> dict[str, str]:
    """What stands behind each field on its line. Nothing where the source is not at hand."""
    try:
        source = inspect.cleandoc(inspect.getsource(kind))
    except OSError:
        return {}
    [tree], lines = ast.parse(source).body, source.splitlines()
    assert isinstance(tree, ast.ClassDef), kind
    found = {}
    for item in tree.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            behind = lines[(item.end_lineno or item.lineno) - 1].encode()[item.end_col_offset :].decode()
            if behind.strip().startswith("#"):
                found[item.target.id] = behind.strip("# ")
    return found
