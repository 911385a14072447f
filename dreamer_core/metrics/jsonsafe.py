"""Strict JSON for numbers that may be NaN or infinite: those become the words "NaN", "Infinity" and "-Infinity".

JSON has no such numbers, and what Python writes for them instead no other reader accepts.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

Word = Literal["NaN", "Infinity", "-Infinity"]
NUMBERS: dict[str, float] = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # what each stands for


def word(value: float) -> Word | None:
    """For a number that is not finite; None for all others."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def dumps(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(_without_non_finite(value), allow_nan=False, ensure_ascii=False, indent=indent)


def loads(text: str | bytes) -> Any:
    """Strict: a bare NaN is an error (ValueError), and words stay words."""
    return json.loads(text, parse_constant=_refuse)


def loads_numbers(text: str | bytes) -> Any:
    """As `loads`, for what `dumps` wrote, with the three words turned back into the numbers they stand for."""
    return _with_non_finite(loads(text))


def _without_non_finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return word(value)
    if isinstance(value, Mapping):
        return {str(key): _without_non_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_finite(item) for item in value]
    return value


def _with_non_finite(value: Any) -> Any:
    if isinstance(value, str):
        return NUMBERS.get(value, value)
    if isinstance(value, dict):
        return {key: _with_non_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_non_finite(item) for item in value]
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
