"""A curve in one line of text."""

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_MISSING, _NOT_FINITE = " ", "!"


def sparkline(values: Sequence[float | None]) -> str:
    """A bar for each value, from the lowest to the highest of them; what is not finite stands out."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_bar(value, low, high) for value in values)


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None:
        return _MISSING
    if not math.isfinite(value):
        return _NOT_FINITE
    if low == high:
        return _BARS[3]
    height = (value / 2 - low / 2) / (high / 2 - low / 2)  # halves: the whole range may be more than a float holds
    return _BARS[min(len(_BARS) - 1, int(height * len(_BARS)))]
