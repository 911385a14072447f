"""Inserting unless there is one already."""

import threading

from server.absent import insert_if_absent
from server.database import Database
from server.ids import new_id
from server.tables import Experiment
from tests.server.factories import NOW


def test_the_first_one_is_inserted_and_the_second_one_knows(database: Database) -> None:
    with database.writing() as session:
        assert insert_if_absent(session, Experiment(id="one", name="same", created_at=NOW))
        assert not insert_if_absent(session, Experiment(id="two", name="same", created_at=NOW))
    with database.reading() as session:
        assert session.get(Experiment, "one") is not None
        assert session.get(Experiment, "two") is None


def test_of_two_at_once_one_inserts(database: Database) -> None:
    start, inserted = threading.Barrier(2), []

    def insert() -> None:
        start.wait()
        with database.writing() as session:
            inserted.append(insert_if_absent(session, Experiment(id=new_id(), name="same", created_at=NOW)))

    threads = [threading.Thread(target=insert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(inserted) == [False, True]
