"""Curves as JSON. What takes the time is a hundred thousand numbers as text, so each column is one format string.

Seven digits, as many as a float32 has: a curve is for looking at. x is exact.
"""

import json
from collections.abc import Callable, Sequence

import numpy as np

from dreamer_core.metrics.jsonsafe import word
from server.metrics.batch import AXES
from server.metrics.columns import Floats, Ints
from server.metrics.curves import Asked, Curve


def encode(asked: Asked, curves: Sequence[Curve]) -> bytes:
    found = {(curve.run, curve.key) for curve in curves}
    missing = [{"run": run, "key": key} for run in asked.runs for key in asked.keys if (run, key) not in found]
    drawn = ",".join(_curve(curve, asked.x) for curve in curves)
    return f'{{"x":"{asked.x}","curves":[{drawn}],"missing":{json.dumps(missing)}}}'.encode()


def _curve(curve: Curve, axis: str) -> str:
    buckets = curve.buckets
    columns = {
        "x": _floats(buckets.x_last[0], "%.13g") if axis == AXES[-1] else _integers(buckets.x_last[0]),
        "last": _floats(buckets.last, "%.7g", _quoted),
        "min": _floats(buckets.low, "%.7g", _null),
        "max": _floats(buckets.high, "%.7g", _null),
        "count": _integers(buckets.count),
        "non_finite": _integers(buckets.non_finite),
    }
    lists = ",".join(f'"{name}":[{numbers}]' for name, numbers in columns.items())
    points = int(buckets.count.sum())
    return f'{{"run":{json.dumps(curve.run)},"key":{json.dumps(curve.key)},"points":{points},{lists}}}'


def _integers(column: Floats | Ints) -> str:
    return _formatted("%d", column.tolist())


def _floats(column: Floats, form: str, otherwise: Callable[[float], str] | None = None) -> str:
    """`otherwise` writes those that are not finite."""
    if otherwise is None or np.isfinite(column).all():
        return _formatted(form, column.tolist())
    finite = np.isfinite(column).tolist()
    return ",".join(
        form % value if is_finite else otherwise(value)
        for value, is_finite in zip(column.tolist(), finite, strict=True)
    )


def _formatted(form: str, numbers: Sequence[float]) -> str:
    return ",".join([form] * len(numbers)) % tuple(numbers)


def _quoted(value: float) -> str:
    return f'"{word(value)}"'


def _null(value: float) -> str:
    return "null"
