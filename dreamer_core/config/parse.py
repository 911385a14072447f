"""From plain mappings to the frozen tree and back: unknown keys and wrong types end here."""

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from dreamer_core.config.checks import LARGEST
from dreamer_core.errors import ConfigError

T = TypeVar("T")


def from_mapping(
    kind: type[T], mapping: Mapping[str, Any], path: str = "", known: Sequence[str] = (), base: T | None = None
) -> T:
    """Build `kind` from `mapping`, refusing what it does not know. What is left out is as in `base`, or by default.

    Inside a larger tree, `path` is where `kind` stands in it, and `known` are the keys of the whole, to suggest from.
    """
    if not isinstance(mapping, Mapping):
        raise ConfigError(path, f"must be a section of keys, got {mapping!r}")
    hints, known = _hints(cast("Any", kind)), known or known_keys(kind, path)
    values = {}
    for key, value in mapping.items():
        where, hint = _join(path, str(key)), hints.get(key)
        if hint is None:
            near = suggestion(where, known_keys(kind, path)) or suggestion(where, known)
            raise ConfigError(where, f"unknown key{near}")
        if is_dataclass(hint):  # given in part, it keeps the defaults of its place, which may not be those of its kind
            values[key] = from_mapping(cast("type[Any]", hint), value, where, known, _held(kind, base, key))
        else:
            values[key] = _convert(hint, value, where)
    if base is None:
        _refuse_gaps(kind, values, path)
    try:
        return kind(**values) if base is None else cast("T", replace(cast("Any", base), **values))
    except ConfigError as error:
        if path and not error.key.startswith(f"{path}."):
            raise ConfigError(_join(path, error.key), str(error).removeprefix(f"{error.key}: ")) from None
        raise


def _refuse_gaps(kind: Any, values: Mapping[str, Any], path: str) -> None:
    for field in fields(kind):
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(_join(path, field.name), "is missing")


def to_mapping(config: Any) -> dict[str, Any]:
    """Plain dicts, lists and scalars, ready for JSON or YAML."""
    return cast("dict[str, Any]", _plain(asdict(config)))


def known_keys(kind: Any, path: str = "") -> list[str]:
    """Every dotted leaf key below `kind`."""
    keys: list[str] = []
    for name, hint in _hints(kind).items():
        where = _join(path, name)
        keys += known_keys(hint, where) if is_dataclass(hint) else [where]
    return keys


def suggestion(key: str, known: Sequence[str]) -> str:
    """A phrase naming the nearest known keys, by the whole path first, then by the last word."""
    close = get_close_matches(key, known, n=1, cutoff=0.75)
    last = key.rsplit(".", 1)[-1]
    if not close:
        close = [name for name in known if name.rsplit(".", 1)[-1] == last][:3]
    if not close:
        words = get_close_matches(last, [name.rsplit(".", 1)[-1] for name in known], n=1, cutoff=0.7)
        close = [name for name in known if words and name.rsplit(".", 1)[-1] == words[0]][:3]
    return f"; did you mean {' or '.join(close)}?" if close else ""


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _held(kind: Any, base: Any, name: str) -> Any:
    """What a field holds when nobody sets it; None where somebody must."""
    if base is not None:
        return getattr(base, name)
    field = next(item for item in fields(kind) if item.name == name)
    if field.default_factory is not MISSING:
        return field.default_factory()
    return None if field.default is MISSING else field.default


def _convert(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return from_mapping(cast("type[Any]", hint), value, where)
    origin = get_origin(hint)
    if origin is Literal:
        return _literal(get_args(hint), value, where)
    if origin in (Union, types.UnionType):
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return None if value is None else _convert(inner, value, where)
    if origin is tuple:
        return _tuple(get_args(hint), value, where)
    return _scalar(hint, value, where)


def _literal(allowed: tuple[Any, ...], value: Any, where: str) -> Any:
    if value not in allowed:
        close = get_close_matches(str(value), [str(item) for item in allowed], n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(where, f"must be one of {', '.join(map(str, allowed))}, got {value!r}{hint}")
    return value


def _tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(where, f"must be a list, got {value!r}")
    is_open = len(args) == 2 and args[1] is Ellipsis
    if not is_open and len(value) != len(args):
        raise ConfigError(where, f"must have {len(args)} entries, got {len(value)}: {value!r}")
    kinds = [args[0]] * len(value) if is_open else list(args)
    return tuple(_convert(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int | str) and not isinstance(value, bool):
        value = _as_float(value)  # YAML 1.1 reads 1e-4 as a string, and 1 as an integer
    if hint is int and isinstance(value, str | float):
        value = _as_int(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(where, f"must be {_NAMES[hint]}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(where, f"must be finite, got {value}")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ConfigError(where, f"must be at most {LARGEST}, got a number of {len(str(abs(value)))} digits")
    return value


_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _as_float(value: int | str) -> float | str:
    try:
        return float(value)
    except (ValueError, OverflowError):
        return str(value)


def _as_int(value: float | str) -> int | float | str:
    """1e6 and 1_000 are whole numbers too."""
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def default_of(kind: Any, dotted: str) -> Any:
    """The default of one dotted key, without building anything else."""
    head, *rest = dotted.split(".")
    value = _held(kind, None, head)
    for name in rest:
        value = getattr(value, name)
    return value


def dotted_items(tree: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Every leaf of nested sections under its dotted key."""
    items: dict[str, Any] = {}
    for key, value in tree.items():
        where = _join(path, str(key))
        items |= dotted_items(value, where) if isinstance(value, Mapping) else {where: value}
    return items
