"""However records were cut into batches, repeated and taken back, what is read is what a list of them would say."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from server.database import Database
from server.metrics.curves import Asked, Curve, read_curves
from server.metrics.latest import key_summaries
from server.metrics.layout import Layout
from server.metrics.read import records_since, stream_state
from server.metrics.rewind import rewind
from tests.server.factories import a_run
from tests.server.metrics import oracle
from tests.server.metrics.sending import send

SMALL = Layout(chunk=8, span=2, fan=2, tail_row=3, tail_points=60)
NAMES = ("loss", "eval/return", "lr")

SOME = (math.nan, math.inf, -math.inf, 0.0, -1.5, 1e300, 5e-324)


def some_records(seed: int, count: int, share: float) -> list[dict[str, float]]:
    """Random ones, in which a key (but for `lr`, which is always there) is in so large a share of the records."""
    random = Random(seed)
    keys = (*oracle.AXES[1:], *NAMES[:2])
    return [
        {
            "env_steps": random.randint(0, 40),
            "lr": random.choice(SOME),
            **{key: _some_value(random, key) for key in keys if random.random() < share},
        }
        for _ in range(count)
    ]


def _some_value(random: Random, key: str) -> float:
    if key in oracle.AXES:
        return random.randint(0, 9)
    return random.choice(SOME) if random.random() < 0.2 else random.gauss(0, 1)


batch = st.builds(some_records, st.integers(0, 10**6), st.integers(0, 70), st.sampled_from([0.0, 0.1, 0.7, 1.0]))
step = st.tuples(st.just("append"), batch) | st.tuples(st.just("rewind"), st.integers(0, 300))

Step = tuple[str, Any]
examples = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@examples
@given(steps=st.lists(step, max_size=12), points=st.integers(2, 12))
def test_the_store_says_what_a_list_of_records_says(database: Database, steps: list[Step], points: int) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
        records = _play(session, run_id, steps)
        assert stream_state(session, run_id)[0] == len(records)
        assert _same(records_since(session, run_id, 0, 10**6), records)
        assert key_summaries(session, run_id) == oracle.keys(records)
        for x in oracle.AXES:
            asked = Asked(runs=[run_id], keys=NAMES, points=points, x=x)
            for curve in read_curves(session, asked, SMALL):
                expected = oracle.curve(records, curve.key, points, SMALL, x)
                assert _same(_listed(curve), expected), (x, curve.key)
        session.rollback()


@examples
@given(steps=st.lists(step, max_size=10), begin=st.integers(0, 300), limit=st.integers(1, 50))
def test_any_part_of_the_records_can_be_read(database: Database, steps: list[Step], begin: int, limit: int) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
        records = _play(session, run_id, steps)
        assert _same(records_since(session, run_id, begin, limit), records[begin : begin + limit])
        session.rollback()


@examples
@given(
    steps=st.lists(st.tuples(st.just("append"), batch), min_size=1, max_size=8),
    points=st.integers(2, 12),
    low=st.integers(0, 40),
    width=st.integers(0, 20),
)
def test_a_range_shows_every_point_in_it_and_few_more(
    database: Database, steps: list[Step], points: int, low: int, width: int
) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
        records = _play(session, run_id, steps)
        asked = Asked(runs=[run_id], keys=["loss"], points=points, low=low, high=low + width)
        curves = read_curves(session, asked, SMALL)
        inside = [point for point in oracle.points_of(records, "loss") if low <= point["env_steps"] <= low + width]
        finite = [point["loss"] for point in inside if math.isfinite(point["loss"])]
        if curves:
            buckets = curves[0].buckets
            assert len(buckets) <= points
            assert buckets.count.sum() >= len(inside)
            assert buckets.non_finite.sum() >= len(inside) - len(finite)
        if finite:
            assert np.fmin.reduce(curves[0].buckets.low) <= min(finite)
            assert np.fmax.reduce(curves[0].buckets.high) >= max(finite)
        session.rollback()


def _play(session: Session, run_id: str, steps: Sequence[Step]) -> list[Mapping[str, Any]]:
    records: list[Mapping[str, Any]] = []
    for action, argument in steps:
        if action == "append":
            repeated = min(len(records), 2)  # the sender did not hear of the last two
            send(session, run_id, len(records) - repeated, records[len(records) - repeated :] + argument, SMALL)
            records += argument
        else:
            rewind(session, run_id, argument, SMALL)
            del records[argument:]
    return records


def _listed(curve: Curve) -> list[list[Any]]:
    buckets = curve.buckets
    columns = (buckets.x_last[0], buckets.last, buckets.low, buckets.high, buckets.count, buckets.non_finite)
    rows = [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return [[x, last, _none(low), _none(high), *counts] for x, last, low, high, *counts in rows]


def _none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _same(found: Any, expected: Any) -> bool:
    """Equal, where a NaN equals a NaN."""
    if isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(_same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    return bool(found == expected or (found != found and expected != expected))
