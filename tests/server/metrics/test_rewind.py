"""Taking records back: what a resumed run finds, and what is left for the pages to show."""

import math

import pytest
from sqlalchemy import text

from server.database import Database
from server.metrics.latest import key_summaries
from server.metrics.layout import Layout
from server.metrics.read import records_since, stream_state
from server.metrics.rewind import rewind
from tests.server.factories import a_run
from tests.server.metrics.sending import send

LAYOUT = Layout(chunk=16, span=4, fan=2)
TABLES = ("metric_tail", "metric_series", "metric_chunk", "metric_pyramid")


@pytest.fixture
def run_id(database: Database) -> str:
    """100 records, 96 of them folded; `loss` goes down, is infinite once, and `eval` comes every tenth time."""
    records = [{"env_steps": number, "loss": 100.0 - number} for number in range(100)]
    records[70]["loss"] = math.inf
    for number in range(0, 100, 10):
        records[number]["eval"] = float(number)
    with database.writing() as session:
        run_id = a_run(session).id
        send(session, run_id, 0, records, LAYOUT)
    return run_id


def test_the_stream_says_that_it_was_taken_back(database: Database, run_id: str) -> None:
    with database.writing() as session:
        rewind(session, run_id, 40, LAYOUT)
        assert stream_state(session, run_id) == (40, 1)


@pytest.mark.parametrize("records", [100, 101, 10**9])
def test_nothing_happens_where_there_are_no_more_records(database: Database, run_id: str, records: int) -> None:
    with database.writing() as session:
        rewind(session, run_id, records, LAYOUT)
        assert stream_state(session, run_id) == (100, 0)


def test_a_run_without_records_has_none_to_take_back(database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
        rewind(session, run_id, 0, LAYOUT)
        assert stream_state(session, run_id) == (0, 0)


def test_summaries_forget_what_was_taken_back(database: Database, run_id: str) -> None:
    with database.writing() as session:
        rewind(session, run_id, 65, LAYOUT)
        evaluation, loss = key_summaries(session, run_id)
    assert (evaluation["points"], evaluation["last"], evaluation["max"]) == (7, 60, 60)
    assert (loss["points"], loss["last"], loss["last_step"], loss["min"]) == (65, 36, 64, 36)
    assert (loss["non_finite"], loss["first_non_finite"]) == (0, None)


def test_a_key_that_came_later_is_gone(database: Database, run_id: str) -> None:
    with database.writing() as session:
        send(session, run_id, 100, [{"env_steps": 100, "late": 1.0}], LAYOUT)
        rewind(session, run_id, 100, LAYOUT)
        assert [summary["key"] for summary in key_summaries(session, run_id)] == ["eval", "loss"]


def test_to_nothing_leaves_nothing_behind(database: Database, run_id: str) -> None:
    with database.writing() as session:
        rewind(session, run_id, 0, LAYOUT)
        for table in TABLES:
            assert session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table


def test_other_runs_keep_theirs(database: Database, run_id: str) -> None:
    with database.writing() as session:
        other = a_run(session).id
        send(session, other, 0, [{"env_steps": 1, "loss": 5.0}], LAYOUT)
        rewind(session, run_id, 0, LAYOUT)
        assert records_since(session, other, 0, 10) == [{"env_steps": 1, "loss": 5.0}]


def test_the_run_goes_on_with_other_numbers(database: Database, run_id: str) -> None:
    again = [{"env_steps": number, "loss": 7.0} for number in range(40, 120)]
    with database.writing() as session:
        rewind(session, run_id, 40, LAYOUT)
        send(session, run_id, 40, again, LAYOUT)
        assert records_since(session, run_id, 40, 1000) == again
        assert records_since(session, run_id, 39, 1) == [{"env_steps": 39, "loss": 61.0}]
