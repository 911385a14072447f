"""A new SQLite database made at once is the one that the migrations make, and it is made once."""

import re
import threading
from pathlib import Path

from sqlalchemy import text

from server import migrate
from server.database import Database
from server.revision import fill_new_sqlite, is_up_to_date, newest_revision


def statements(database: Database) -> dict[str, list[str]]:
    """By name, what each table and index was made with: its parts, whose order means nothing."""
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    return {name: sorted(parts(sql)) for name, sql in rows}


def parts(sql: str) -> list[str]:
    """Columns and constraints, without the spaces, quotes and brackets that differ where a table was written anew."""
    plain = " ".join(sql.replace('"', "").replace("DEFAULT ('')", "DEFAULT ''").split())
    inner = re.sub(r"^CREATE TABLE \S+ \((.*)\)$", r"\1", plain)
    return [part.strip() for part in re.split(r", (?![^()]*\))", inner)]


def test_the_newest_file_is_the_newest_revision() -> None:
    assert newest_revision() == migrate.head()


def test_a_new_database_has_what_all_migrations_make(tmp_path: Path) -> None:
    made, migrated = (Database(f"sqlite:///{tmp_path / name}.db") for name in ("made", "migrated"))
    fill_new_sqlite(made)
    migrate.upgrade(migrated)
    assert len(statements(made)) > 50
    assert statements(made) == statements(migrated)
    assert migrate.current(made) == migrate.head()
    made.close()
    migrated.close()


def test_a_database_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(old, "0001")
    before = statements(old)
    fill_new_sqlite(old)
    assert statements(old) == before
    assert not is_up_to_date(old)
    old.close()


def test_of_servers_that_fill_it_at_once_one_does(tmp_path: Path) -> None:
    start, filled = threading.Barrier(4), []

    def start_up() -> None:
        own = Database(f"sqlite:///{tmp_path / 'new.db'}")
        start.wait()
        fill_new_sqlite(own)
        filled.append(is_up_to_date(own))
        own.close()

    threads = [threading.Thread(target=start_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert filled == [True] * 4
