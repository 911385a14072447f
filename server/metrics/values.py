"""The JSON values of one key as float64: finite numbers all at once; else each by itself, to say which one is wrong."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dreamer_core.metrics.jsonsafe import NUMBERS
from server.errors import InvalidError
from server.jsonvalues import LARGEST
from server.metrics.columns import Floats

_KINDS = "a number, true, false, or one of the words NaN, Infinity and -Infinity"


def read_values(name: str, numbers: Sequence[int], values: Sequence[Any]) -> Floats:
    """Of a metric. `numbers` are those of the records that the values are in."""
    found = _plain(values)
    return _one_by_one(_value, name, numbers, values) if found is None else found


def read_axis(name: str, numbers: Sequence[int], values: Sequence[Any]) -> Floats:
    """Of an axis: steps are whole, seconds are not negative, and both are finite."""
    found = _plain(values)
    are_right, check = (_are_seconds, _seconds) if name == "wall_time_s" else (_are_steps, _steps)
    return found if found is not None and are_right(found) else _one_by_one(check, name, numbers, values)


def _are_steps(found: Floats) -> bool:
    return bool(((found >= 0) & (found <= LARGEST) & (found == np.floor(found))).all())


def _are_seconds(found: Floats) -> bool:
    return bool((found >= 0).all())


def _plain(values: Sequence[Any]) -> Floats | None:
    """The quick way, for finite numbers. None where each must be looked at."""
    if not set(map(type, values)) <= {float, int}:
        return None
    try:
        found = np.array(values, np.float64)
    except OverflowError:
        return None
    return found if np.isfinite(found).all() else None


def _one_by_one(check: Callable[[Any], float], name: str, numbers: Sequence[int], values: Sequence[Any]) -> Floats:
    return np.array([_checked(check, name, number, value) for number, value in zip(numbers, values, strict=True)])


def _checked(check: Callable[[Any], float], name: str, number: int, value: Any) -> float:
    try:
        return check(value)
    except ValueError as error:
        message = f"Record {number}: {name} must be {error}."
        raise InvalidError(message, where=where(name, number), seen=json.dumps(value)[:100]) from None


def _value(value: Any) -> float:
    if isinstance(value, str):
        word = NUMBERS.get(value)
        if word is None:
            raise ValueError(_KINDS)
        return word
    if not isinstance(value, int | float):
        raise ValueError(_KINDS)
    return _finite(value)


def _steps(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= LARGEST or value != int(value):
        raise ValueError("a whole number from 0 to 2**53")
    return float(value)


def _seconds(value: Any) -> float:
    if type(value) not in (int, float) or value < 0:
        raise ValueError("a number from 0")
    return _finite(value)


def _finite(value: float) -> float:
    """A number so large that it became infinite while it was read is nobody's intention."""
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if np.isinf(number):
        raise ValueError("below 1.8e308 (say Infinity for more)")
    return number


def where(name: str, number: int) -> str:
    """What an error calls the place of a value."""
    return f"records.{number}.{name}"
