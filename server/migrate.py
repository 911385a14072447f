"""Bringing a database to the tables of this code, or back. Two servers that start at once take turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from dreamer_core.errors import UsageError
from server.database import Database

# Beside the server, in a checkout as in an installed package.
FOLDER = Path(__file__).parent.parent / "migrations"
_LOCK = 8420_0001  # any number that nobody else takes
_LOCK_WAIT = "5min"


def upgrade(database: Database, to: str = "head") -> str | None:
    """To the newest tables. Returns the revision that the database had before, None if it was empty."""
    with _alone(database) as connection:
        before = _revision(connection)
        _refuse_newer(before)
        command.upgrade(_config(connection), to)
    return before


def downgrade(database: Database, to: str) -> None:
    """Back to the revision `to`, or to `base`, which is an empty database. What newer tables held is lost."""
    with _alone(database) as connection:
        _refuse_newer(_revision(connection))
        command.downgrade(_config(connection), to)


def current(database: Database) -> str | None:
    """The revision of the database; None if it has no tables of ours."""
    with database.engine.connect() as connection:
        return _revision(connection)


def head() -> str:
    """The revision that this code works with."""
    newest = ScriptDirectory(str(FOLDER)).get_current_head()
    assert newest is not None
    return newest


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """One transaction that no other process migrates in: everything happens, or nothing does."""
    begin = _alone_in_sqlite if database.is_sqlite else _alone_in_postgres
    with begin(database) as connection:
        yield connection


@contextmanager
def _alone_in_postgres(database: Database) -> Iterator[Connection]:
    with database.engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{_LOCK_WAIT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection


@contextmanager
def _alone_in_sqlite(database: Database) -> Iterator[Connection]:
    engine = database.engine.execution_options(dreamgate_writes=True)  # BEGIN IMMEDIATE: the other one waits
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        # A table that is rewritten is dropped on the way, and would take with it whatever refers to it.
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                _refuse_dangling(connection)
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def _refuse_dangling(connection: Connection) -> None:
    dangling = connection.execute(text("PRAGMA foreign_key_check")).all()
    if dangling:
        raise RuntimeError(f"the migration leaves rows that refer to nothing: {dangling[:5]}; it was taken back")


def _refuse_newer(revision: str | None) -> None:
    known = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()]
    if revision is not None and revision not in known:
        raise UsageError(
            f"the database is at revision {revision}, which this version of Dreamgate does not know (it knows up to "
            f"{known[0]}): it was written by a newer one. Install that one, or give this one another database."
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
