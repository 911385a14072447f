"""The migrations and the tables describe the same database, forwards and backwards, on SQLite and on Postgres."""

import secrets
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from dreamer_core.errors import UsageError
from server import migrate
from server.database import Database
from server.tables import Event, Run, metadata
from tests.server.factories import a_run

# A later migration that lets SQLite write a whole table anew, and Postgres alter it.
_REWRITE = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0004", "0003", None, None


def upgrade():
    with op.batch_alter_table("run") as run:
        run.alter_column("name", existing_type=sa.String(120), type_=sa.String(200))


def downgrade():
    pass
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any tables."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    server = request.getfixturevalue("postgres_url").rpartition("/")[0]
    name = f"dreamgate_test_{secrets.token_hex(6)}"
    with psycopg.connect(server.replace("+psycopg", "") + "/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        database = Database(f"{server}/{name}")
        yield database
        database.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_the_migrations_make_the_tables_of_the_models(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_migration_can_be_undone_and_done_again(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.head()


def test_runs_that_are_there_get_the_commit_that_their_manifest_says(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.writing() as session:
        ours = a_run(session, manifest={"source": {"commit": "1a2b3c4"}})
        a_run(session, manifest={"source": "somebody else's"}, experiment="other")
        a_run(session, experiment="third")
    migrate.downgrade(empty, "0002")
    migrate.upgrade(empty)
    with empty.reading() as session:
        assert {run.id for run in session.exec(select(Run)) if run.source_commit == "1a2b3c4"} == {ours.id}


def test_an_upgrade_says_where_it_came_from(empty: Database) -> None:
    assert migrate.current(empty) is None
    assert migrate.upgrade(empty) is None
    assert migrate.upgrade(empty) == migrate.head()


def test_every_constraint_has_the_name_that_the_convention_gives_it(database: Database) -> None:
    found = inspect(database.engine)
    for table in metadata.sorted_tables:
        if not (database.is_sqlite and table.kwargs.get("sqlite_autoincrement")):  # there it is not read back
            assert found.get_pk_constraint(table.name)["name"] == f"pk_{table.name}"
        assert {key["name"] for key in found.get_foreign_keys(table.name)} == {
            f"fk_{table.name}_{key.parent.name}_{key.column.table.name}" for key in table.foreign_keys
        }
        assert {check["name"] for check in found.get_check_constraints(table.name)} == {
            str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)
        }


def test_closed_sets_are_stored_as_text(database: Database) -> None:
    kinds = {column["name"]: str(column["type"]) for column in inspect(database.engine).get_columns("run")}
    assert (kinds["kind"], kinds["state"]) == ("VARCHAR(16)", "VARCHAR(16)")
    with database.writing() as session:
        a_run(session)
    with database.reading() as session:
        assert session.connection().execute(text("SELECT kind, state FROM run")).one() == ("import", "running")


def test_a_run_cannot_be_in_a_state_that_has_no_name(database: Database) -> None:
    with database.writing() as session:
        run = a_run(session)
        with pytest.raises(IntegrityError, match="ck_run_state"):
            session.connection().execute(text("UPDATE run SET state = 'lost' WHERE id = :id"), {"id": run.id})
        session.rollback()


def test_two_servers_that_start_at_once_take_turns(empty: Database) -> None:
    start, before = threading.Barrier(2), []

    def start_up() -> None:
        own = Database(empty.url)
        start.wait()
        before.append(migrate.upgrade(own))
        own.close()

    threads = [threading.Thread(target=start_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(before, key=str) == [migrate.head(), None]


def test_a_database_of_a_newer_version_is_refused_in_words(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.writing() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(UsageError, match="revision 0999, which this version of Dreamgate does not know"):
        migrate.upgrade(empty)


def test_a_table_that_is_rewritten_keeps_the_rows_that_refer_to_it(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(empty)
    with empty.writing() as session:
        run = a_run(session)
        session.add(Event(run_id=run.id, origin="user", position=0, kind="note", message="here", facts={}, at=0.0))
    shutil.copytree(migrate.FOLDER, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "migrations/versions/0004_widen_names.py").write_text(_REWRITE)
    monkeypatch.setattr(migrate, "FOLDER", tmp_path / "migrations")
    migrate.upgrade(empty)
    with empty.reading() as session:
        assert [event.message for event in session.exec(select(Event))] == ["here"]
        assert [run.name for run in session.exec(select(Run))] == ["a run"]


def test_rows_that_refer_to_nothing_are_refused_after_a_migration_as_before(empty: Database) -> None:
    migrate.upgrade(empty)
    with empty.writing() as session:
        session.add(Event(run_id="nobody", origin="user", position=0, kind="note", message="", facts={}, at=0.0))
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()
