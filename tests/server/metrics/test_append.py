"""Appending: every record once, in order, whoever repeats or races."""

import threading
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import text

from server.database import Database
from server.errors import GapError
from server.metrics.latest import latest
from server.metrics.layout import Layout
from server.metrics.read import records_since, stream_state
from tests.server.factories import a_run
from tests.server.metrics.sending import send


def some(first: int, count: int) -> list[dict[str, float]]:
    return [{"env_steps": 8 * number, "loss": 1.0 / (1 + number)} for number in range(first, first + count)]


@pytest.fixture
def run_id(database: Database) -> str:
    with database.writing() as session:
        return a_run(session).id


def stored(database: Database, run_id: str) -> Sequence[Mapping[str, float]]:
    with database.reading() as session:
        return records_since(session, run_id, 0, 10**6)


def appended(database: Database, run_id: str, offset: int, records: Sequence[Mapping[str, float]]) -> int:
    with database.writing() as session:
        return send(session, run_id, offset, records)


def test_a_batch_sent_twice_is_stored_once(database: Database, run_id: str) -> None:
    assert appended(database, run_id, 0, some(0, 5)) == 5
    assert appended(database, run_id, 0, some(0, 5)) == 5
    assert stored(database, run_id) == some(0, 5)


def test_of_a_batch_that_overlaps_only_what_is_new_is_taken(database: Database, run_id: str) -> None:
    appended(database, run_id, 0, some(0, 5))
    assert appended(database, run_id, 3, [*some(3, 2), {"env_steps": 99, "new": 1.0}]) == 6
    assert stored(database, run_id) == [*some(0, 5), {"env_steps": 99, "new": 1.0}]


def test_a_gap_is_refused_with_the_number_that_is_expected(database: Database, run_id: str) -> None:
    appended(database, run_id, 0, some(0, 5))
    with pytest.raises(GapError) as refused:
        appended(database, run_id, 7, some(7, 1))
    assert refused.value.expected == 5
    assert refused.value.seen == 7


def test_a_run_without_records_expects_number_0(database: Database, run_id: str) -> None:
    with pytest.raises(GapError) as refused:
        appended(database, run_id, 1, some(1, 1))
    assert refused.value.expected == 0


@pytest.mark.parametrize("before", [0, 5])
def test_an_empty_batch_asks_how_many_there_are(database: Database, run_id: str, before: int) -> None:
    appended(database, run_id, 0, some(0, before))
    assert appended(database, run_id, before, []) == before
    assert stored(database, run_id) == some(0, before)


def test_what_is_rolled_back_was_never_sent(database: Database, run_id: str) -> None:
    with database.writing() as session:
        send(session, run_id, 0, [{"env_steps": 1, "never/seen": 1.0}])
        session.rollback()
    assert stored(database, run_id) == []
    assert appended(database, run_id, 0, [{"env_steps": 1, "never/seen": 2.0}]) == 1
    assert stored(database, run_id) == [{"env_steps": 1, "never/seen": 2.0}]


def test_the_last_value_is_known_without_reading_the_series(database: Database, run_id: str) -> None:
    appended(database, run_id, 0, [{"env_steps": 1, "loss": 3.0, "bad": 1.0}, {"env_steps": 2, "bad": float("inf")}])
    with database.reading() as session:
        assert latest(session, [run_id, "unknown"], ["loss", "bad", "none"]) == {
            run_id: {"loss": 3.0, "bad": "Infinity"},
            "unknown": {},
        }


def test_senders_who_race_store_every_record_once(database: Database, run_id: str) -> None:
    """Four senders of one run's same records, as after a lost answer; with new keys that all of them want to name."""

    def race() -> None:
        barrier.wait()
        for first in range(0, 60, 10):
            appended(database, run_id, first, some(first, 10))

    barrier = threading.Barrier(4)
    senders = [threading.Thread(target=race) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert stored(database, run_id) == some(0, 60)
    with database.reading() as session:
        assert stream_state(session, run_id) == (60, 0)


def test_runs_that_name_the_same_new_keys_at_once_do_not_stop_each_other(database: Database) -> None:
    with database.writing() as session:
        runs = [a_run(session).id for _ in range(4)]
    names = [f"key/{number}" for number in range(50)]

    def race(run_id: str, order: Sequence[str]) -> None:
        barrier.wait()
        appended(database, run_id, 0, [{"env_steps": 1, **dict.fromkeys(order, 1.0)}])

    barrier = threading.Barrier(4)
    orders = [names, names[::-1], names[25:] + names[:25], names]
    senders = [threading.Thread(target=race, args=pair) for pair in zip(runs, orders, strict=True)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    for run_id in runs:
        assert stored(database, run_id) == [{"env_steps": 1, **dict.fromkeys(names, 1.0)}]


def test_records_that_come_one_by_one_share_rows(database: Database, run_id: str) -> None:
    for number in range(130):
        appended(database, run_id, number, some(number, 1))
    with database.reading() as session:
        rows = session.connection().execute(text("SELECT records FROM metric_tail ORDER BY first")).scalars().all()
    assert rows == [64, 64, 2]
    assert stored(database, run_id) == some(0, 130)


@pytest.mark.parametrize("begin", [0, 1, 4, 5, 9])
def test_reading_may_begin_in_the_middle_of_a_batch(database: Database, run_id: str, begin: int) -> None:
    with database.writing() as session:
        for first in (0, 5):
            send(session, run_id, first, some(first, 5), Layout(tail_row=1))
        assert records_since(session, run_id, begin, 100) == some(begin, 10 - begin)


def test_a_tail_that_is_too_wide_is_folded_early(database: Database, run_id: str) -> None:
    layout = Layout(chunk=64, tail_points=100)
    wide = [{"env_steps": number, **{f"k{key}": 1.0 for key in range(30)}} for number in range(8)]
    with database.writing() as session:
        for number, record in enumerate(wide):
            send(session, run_id, number, [record], layout)
        tail = session.connection().execute(text("SELECT tail_points FROM metric_stream")).scalar_one()
    assert tail <= 100
    assert stored(database, run_id) == wide
