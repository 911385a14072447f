"""The revision of a database, asked for and written without Alembic, which would double the time that a start takes."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.database import Database

_VERSIONS = Path(__file__).parents[1] / "migrations" / "versions"
_OF_ALEMBIC = (
    "CREATE TABLE alembic_version"
    " (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def newest_revision() -> str:
    """By the names of the files, which begin with their revision: 0001_create_experiments.py."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def is_up_to_date(database: Database) -> bool:
    try:
        with database.engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest_revision()
    except DBAPIError:  # no such table, or no database: finding out which is the migration's work
        return False


def fill_new_sqlite(database: Database) -> None:
    """The tables as all migrations together make them, where there is nothing yet. Of two servers, one does it."""
    from server.tables import metadata

    with database.writing() as session:
        connection = session.connection()
        if connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar():
            return
        metadata.create_all(connection, checkfirst=False)
        connection.execute(text(_OF_ALEMBIC))
        connection.execute(text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": newest_revision()})
