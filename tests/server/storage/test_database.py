"""Reading and writing: one transaction each, and no JSON that a database would refuse."""

import math
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import select

from server.database import Database
from server.errors import UnavailableError
from server.tables import Experiment, Run
from tests.server.factories import NOW, a_run


def test_numbers_that_are_not_finite_are_kept_in_json_as_words(database: Database) -> None:
    config = {"a": math.nan, "b": [math.inf, -math.inf], "c": 0.1}
    with database.writing() as session:
        a_run(session, config=config)
    with database.reading() as session:
        assert session.exec(select(Run.config)).one() == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": 0.1}


def test_an_error_takes_the_whole_transaction_back(database: Database) -> None:
    with pytest.raises(IntegrityError):
        _write_two_of_one_name(database)
    with database.reading() as session:
        assert session.exec(select(Experiment)).all() == []


def test_a_reader_sees_one_moment_even_while_another_writes(database: Database) -> None:
    with database.reading() as reader:
        assert reader.exec(select(Experiment)).all() == []
        with database.writing() as session:
            session.add(Experiment(id="new", name="new", created_at=NOW))
        assert reader.exec(select(Experiment)).all() == []
    with database.reading() as reader:
        assert len(reader.exec(select(Experiment)).all()) == 1


def test_a_new_file_that_another_server_is_opening_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, other.commit).start()
    ours = Database(f"sqlite:///{file}")
    ours.ping()
    ours.close()
    other.close()


def test_who_waits_long_for_other_writers_is_told_to_try_again(tmp_path: Path) -> None:
    """Else all threads of a server come to stand there, and nothing is answered any more."""
    database, begin = Database(f"sqlite:///{tmp_path / 'd.db'}", busy_s=1), threading.Barrier(5)
    refusals: list[float] = []

    def write() -> None:
        begin.wait()
        since = monotonic()
        try:
            with database.writing() as session:
                session.connection()
        except (OperationalError, UnavailableError):
            refusals.append(monotonic() - since)

    threads = [threading.Thread(target=write) for _ in range(5)]
    with database.writing() as session:  # which makes the file
        session.connection()
    with closing(sqlite3.connect(tmp_path / "d.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refusals) == 5
    assert max(refusals) < 3  # for the turn, and then for the other process
    with database.writing() as session:
        session.connection()
    database.close()


def _write_two_of_one_name(database: Database) -> None:
    with database.writing() as session:
        session.add(Experiment(id="one", name="same", created_at=NOW))
        session.flush()
        session.add(Experiment(id="two", name="same", created_at=NOW))
