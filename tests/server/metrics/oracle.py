"""The metrics store as one would write it without caring about speed: lists and loops."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from server.metrics.layout import Layout

Record = Mapping[str, float]
AXES = ("env_steps", "train_steps", "wall_time_s")


def points_of(records: Sequence[Record], key: str) -> list[Record]:
    return [record for record in records if key in record]


def keys(records: Sequence[Record]) -> list[dict[str, Any]]:
    names = sorted({name for record in records for name in record} - {*AXES})
    return [_summary(name, points_of(records, name)) for name in names]


def curve(records: Sequence[Record], key: str, points: int, layout: Layout, x: str = "env_steps") -> list[list[Any]]:
    """[x, last, min, max, count, non_finite] of each bucket of a whole series."""
    series = points_of(records, key)
    size = layout.bucket(layout.level(len(series), -(-points // 2)))
    buckets = [series[start : start + size] for start in range(0, len(series), size)]
    buckets = [bucket for bucket in buckets if any(x in point for point in bucket)]
    group = max(1, -(-len(buckets) // points))
    groups = [list(chain(*buckets[start : start + group])) for start in range(0, len(buckets), group)]
    return [_bucket(points, key, x) for points in groups]


def _bucket(points: Sequence[Record], key: str, x: str) -> list[Any]:
    values = [point[key] for point in points]
    finite = [value for value in values if math.isfinite(value)]
    return [
        [point[x] for point in points if x in point][-1],
        values[-1],
        min(finite, default=None),
        max(finite, default=None),
        len(values),
        len(values) - len(finite),
    ]


def _summary(name: str, points: Sequence[Record]) -> dict[str, Any]:
    values = [point[name] for point in points]
    finite = [value for value in values if math.isfinite(value)]
    bad = [int(point["env_steps"]) for point in points if not math.isfinite(point[name])]
    return {
        "key": name,
        "points": len(points),
        "last": values[-1] if math.isfinite(values[-1]) else _word(values[-1]),
        "last_step": int(points[-1]["env_steps"]),
        "min": min(finite, default=None),
        "max": max(finite, default=None),
        "non_finite": len(bad),
        "first_non_finite": bad[0] if bad else None,
    }


def _word(value: float) -> str:
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
