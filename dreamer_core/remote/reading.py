"""From the server's JSON to frozen values: what we do not know is passed over, what is missing or wrong is an error."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache, partial
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from dreamer_core.metrics.jsonsafe import NUMBERS
from dreamer_core.remote.errors import Unreadable

T = TypeVar("T")
_Reader = Callable[[Any, str], Any]


def read(kind: type[T], found: Any) -> T:
    """Build the dataclass `kind`. A newer server may say more than we know; an older one may not say less."""
    return cast("T", _reader(cast("Any", kind))(found, kind.__name__))


def read_all(kind: type[T], found: Any) -> tuple[T, ...]:
    """The `items` of an answer."""
    if not isinstance(found, Mapping) or not isinstance(found.get("items"), list):
        raise Unreadable(f"The server's list of {kind.__name__} has no items.")
    return tuple(read(kind, item) for item in found["items"])


@cache
def _reader(hint: Any) -> _Reader:
    """How to read one type. Made once for each: an answer may hold thousands of values."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return _anything
    if is_dataclass(hint):
        return partial(_dataclass, hint)
    if origin in (Union, types.UnionType):
        return partial(_optional, _reader(next(arg for arg in args if arg is not type(None))))
    if origin is tuple:
        return partial(_tuple, _reader(args[0]))
    if origin is dict:
        return partial(_dict, _reader(args[1]))
    return partial(_scalar, hint)


def _dataclass(kind: Any, found: Any, where: str) -> Any:
    if not isinstance(found, Mapping):
        raise Unreadable(f"The server's answer should have an object at {where}, and has {str(found)[:80]!r}.")
    values = {}
    for field, reader in _fields(kind):
        if field.name in found:
            values[field.name] = reader(found[field.name], f"{where}.{field.name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise Unreadable(f"The server's answer has no {field.name!r} in {where}.")
    return kind(**values)


@cache
def _fields(kind: Any) -> tuple[tuple[Field[Any], _Reader], ...]:
    hints = get_type_hints(kind)
    return tuple((field, _reader(hints[field.name])) for field in fields(kind))


def _anything(found: Any, where: str) -> Any:
    return found


def _optional(reader: _Reader, found: Any, where: str) -> Any:
    return None if found is None else reader(found, where)


def _tuple(reader: _Reader, found: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(found, list):
        raise Unreadable(f"The server's answer should have a list at {where}, and has {str(found)[:80]!r}.")
    return tuple(reader(item, where) for item in found)


def _dict(reader: _Reader, found: Any, where: str) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise Unreadable(f"The server's answer should have an object at {where}, and has {str(found)[:80]!r}.")
    return {key: reader(item, f"{where}.{key}") for key, item in found.items()}


def _scalar(kind: Any, found: Any, where: str) -> Any:
    if type(found) is kind:
        return found
    if kind is float and isinstance(found, int) and not isinstance(found, bool):
        return float(found)
    if kind is float and isinstance(found, str) and found in NUMBERS:
        return float(found)
    raise Unreadable(f"The server's answer should have {kind.__name__} at {where}, and has {str(found)[:80]!r}.")
