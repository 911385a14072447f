"""Curves: a spike is never lost, a long series costs no more than a short one, and a range is a closer look."""

import math

import numpy as np
import pytest
from sqlalchemy import text

from server.database import Database
from server.metrics import rows
from server.metrics.append import append
from server.metrics.batch import Batch
from server.metrics.columns import Columns
from server.metrics.curves import Asked, Curve, read_curves
from server.metrics.layout import LAYOUT, Layout
from server.metrics.parse import Sent
from tests.server.factories import a_run
from tests.server.metrics.sending import send

MILLION = 1_000_000
SPIKE, HOLE = 54_321, 23_456


def send_series(database: Database, run_id: str, steps: np.ndarray, values: np.ndarray) -> None:
    """Records of one key, in large batches; quicker than JSON."""
    for first in range(0, len(values), 100_000):
        part, at = values[first : first + 100_000], steps[first : first + 100_000]
        axes = np.stack([at, at, at / 1000])
        counts, numbers = np.array([len(part)] * 2), np.tile(np.arange(len(part)), 2)
        batch = Batch(axes, np.arange(2), counts, numbers, np.concatenate([at, part]))
        with database.writing() as session:
            append(session, run_id, Sent(first, ["env_steps", "loss"], batch))


@pytest.fixture
def run_id(database: Database) -> str:
    with database.writing() as session:
        return a_run(session).id


def send_flat_line(database: Database, run_id: str, points: int) -> None:
    """With one spike, and one hole."""
    values = np.ones(points)
    values[SPIKE], values[HOLE] = 1000.0, math.nan
    send_series(database, run_id, np.arange(points) * 4.0, values)


@pytest.fixture
def flat_run_id(database: Database, run_id: str) -> str:
    send_flat_line(database, run_id, 100_000)
    return run_id


def drawn(database: Database, run_id: str, key: str = "loss", **asked: object) -> Curve:
    with database.reading() as session:
        [curve] = read_curves(session, Asked(runs=[run_id], keys=[key], **asked))  # type: ignore[arg-type]
    return curve


def test_a_spike_of_one_point_is_seen_in_a_million(database: Database, run_id: str) -> None:
    send_flat_line(database, run_id, MILLION)
    buckets = drawn(database, run_id, points=1000).buckets
    spike = int(np.argmax(buckets.high))
    assert 500 <= len(buckets) <= 1000
    assert buckets.high[spike] == 1000
    assert buckets.x_last[0, spike - 1] < 4 * SPIKE <= buckets.x_last[0, spike]
    assert buckets.count.sum() == MILLION
    assert buckets.non_finite.sum() == 1


def test_a_closer_look_at_the_spike_shows_where_it_is(database: Database, flat_run_id: str) -> None:
    buckets = drawn(database, flat_run_id, points=100, low=4 * (SPIKE - 20), high=4 * (SPIKE + 20)).buckets
    assert buckets.count.tolist() == [1] * 41
    assert buckets.x_last[0, int(np.argmax(buckets.high))] == 4 * SPIKE


@pytest.mark.parametrize(("x", "scale"), [("train_steps", 4), ("wall_time_s", 0.004)])
def test_other_axes_lead_to_the_same_spike(database: Database, flat_run_id: str, x: str, scale: float) -> None:
    buckets = drawn(database, flat_run_id, points=50, x=x, low=scale * (SPIKE - 1), high=scale * (SPIKE + 1)).buckets
    assert buckets.last.tolist() == [1, 1000, 1]
    assert buckets.x_last[0].tolist() == pytest.approx([scale * number for number in (SPIKE - 1, SPIKE, SPIKE + 1)])


def test_a_range_without_points_is_an_empty_curve(database: Database, flat_run_id: str) -> None:
    assert len(drawn(database, flat_run_id, low=1e9).buckets) == 0


def test_what_is_read_does_not_grow_with_the_series(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[int] = []

    def noted(body: bytes) -> Columns:
        bodies.append(len(body))
        return Columns(body)

    monkeypatch.setattr(rows, "Columns", noted)
    read = {}
    for count in (100_000, 400_000):
        with database.writing() as session:
            run_id = a_run(session).id
        send_series(database, run_id, np.arange(count) * 1.0, np.random.default_rng(0).normal(size=count))
        bodies.clear()
        drawn(database, run_id)
        read[count] = sum(bodies)
    assert read[400_000] < 1.5 * read[100_000]


def test_a_series_in_every_record_keeps_no_axes_of_its_own(database: Database, run_id: str) -> None:
    """Its chunks are its values alone: eight bytes a point, however many series there are."""
    count = LAYOUT.chunk
    steps = np.cumsum(np.random.default_rng(0).integers(1, 1000, count)) * 1.0
    send_series(database, run_id, steps, np.random.default_rng(1).normal(size=count))
    assert _chunk_bytes(database, run_id, "loss") <= 8 * count + 20


def test_a_rare_series_costs_no_more_than_its_points(database: Database, run_id: str) -> None:
    count = 40_000
    records = [
        {"env_steps": number, **({"eval": 0.1 * number} if number % 1000 == 0 else {})} for number in range(count)
    ]
    with database.writing() as session:
        for first in range(0, count, 20_000):
            send(session, run_id, first, records[first : first + 20_000])
    assert _chunk_bytes(database, run_id, "eval") < 40 * 40
    assert drawn(database, run_id, "eval").buckets.x_last[0].tolist() == list(range(0, count, 1000))


def test_a_series_that_misses_a_record_late_is_drawn_where_it_was(database: Database, run_id: str) -> None:
    """Its first chunk leans on the steps' own, the second cannot, and the row of the pyramid over both must not."""
    layout = Layout(chunk=8, span=2, fan=2)
    records: list[dict[str, float]] = [{"env_steps": 10 * number, "loss": 1.0} for number in range(40)]
    del records[9]["loss"], records[13]["loss"]
    with database.writing() as session:
        send(session, run_id, 0, records, layout)
        [curve] = read_curves(session, Asked(runs=[run_id], keys=["loss"], points=18), layout)
    steps = [record["env_steps"] for record in records if "loss" in record]
    assert curve.buckets.x_last[0].tolist() == [*steps[3:36:4], steps[-1]]


def _chunk_bytes(database: Database, run_id: str, key: str) -> int:
    query = text(
        "SELECT sum(length(body)) FROM metric_chunk JOIN metric_key ON metric_key.id = key_id"
        " WHERE run_id = :run_id AND name = :key"
    )
    with database.reading() as session:
        return int(session.connection().execute(query, {"run_id": run_id, "key": key}).scalar_one())


def test_steps_that_go_back_are_drawn_in_the_order_in_which_they_came(database: Database, run_id: str) -> None:
    with database.writing() as session:
        send(session, run_id, 0, [{"env_steps": step, "loss": step / 10} for step in (10, 20, 30, 5, 15, 25)])
    buckets = drawn(database, run_id).buckets
    assert buckets.x_last[0].tolist() == [10, 20, 30, 5, 15, 25]
    assert drawn(database, run_id, low=14, high=22).buckets.x_last[0].tolist() == [20, 15]


def test_a_point_that_does_not_say_when_it_was_is_not_drawn_by_time(database: Database, run_id: str) -> None:
    with database.writing() as session:
        send(session, run_id, 0, [{"env_steps": 1, "loss": 1.0}, {"env_steps": 2, "loss": 2.0, "wall_time_s": 0.5}])
    assert drawn(database, run_id, x="wall_time_s").buckets.last.tolist() == [2]


def test_runs_and_keys_come_in_the_order_in_which_they_were_asked_for(database: Database) -> None:
    with database.writing() as session:
        runs = [a_run(session).id for _ in range(3)]
        for run_id in runs:
            send(session, run_id, 0, [{"env_steps": 1, "a": 1.0, "b": 2.0}])
    with database.reading() as session:
        curves = read_curves(session, Asked(runs=runs[::-1], keys=["b", "none", "a"]))
    assert [(curve.run, curve.key) for curve in curves] == [(run, key) for run in runs[::-1] for key in "ba"]
