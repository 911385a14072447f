"""`dreamgate migrate`: bring the database to the tables of this version, or only say whether it is there."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.errors import BROKE, OK, RED, DreamgateError, UsageError
from server.cli import places

if TYPE_CHECKING:
    from server.database import Database

_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "migrate",
        help="bring the database up to date",
        description="Brings the database (DREAMGATE_DATABASE_URL, or SQLite in the data folder) to the tables of this "
        "version. `up` and `serve` do it by themselves.",
    )
    places.add_data(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="change nothing; exit with 1 where something is to be done")
    what.add_argument("--down", metavar="REVISION", help="go back to a revision, or to `base`; newer data is lost")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from server import migrate
    from server.database import Database

    database = Database(places.settings_of(args).database_url)
    with explained(database):
        if args.check:
            return _check(database)
        if args.down:
            migrate.downgrade(database, args.down)
        else:
            migrate.upgrade(database)
        print(f"the database is {_said(migrate.current(database))} now")
    return OK


@contextmanager
def explained(database: "Database") -> Iterator[None]:
    """What a database and Alembic complain about, without their tracebacks and without the password."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        place = database.engine.url.render_as_string(hide_password=True)
        raise DreamgateError(f"the database {place} cannot be used: {error.orig}") from None
    except Exception as error:
        if type(error).__module__.startswith("alembic."):  # named by its name: importing it costs a start too much
            raise UsageError(str(error)) from None
        raise


class Migration:
    """Bringing a database up to date in a process of its own, where it is not: the server never holds Alembic."""

    def __init__(self, database: "Database") -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if not is_up_to_date(database):
            command = [sys.executable, "-P", "-m", "dreamer_core.cli.main", "migrate"]
            environ = {**os.environ, "DREAMGATE_DATABASE_URL": database.url}
            self._process = subprocess.Popen(command, env=environ, stdout=sys.stderr)  # noqa: S603 - our own command

    def finish(self) -> None:
        code = self._process.wait() if self._process else OK
        if code != OK:
            error = DreamgateError("the database could not be brought up to date; the lines above say why")
            error.exit_code = code if code > 0 else BROKE
            raise error


def is_up_to_date(database: "Database") -> bool:
    """Asked at every start, so without Alembic: a tenth of the time that a start takes, and of the memory it holds."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    try:
        with database.engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest_revision()
    except DBAPIError:  # no such table, or no database: finding out which is the migration's work
        return False


def newest_revision() -> str:
    """By the names of the files, which begin with their revision: 0001_create_experiments.py."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def refuse_old(database: "Database") -> None:
    from server import migrate

    found, wanted = migrate.current(database), migrate.head()
    if found != wanted:
        raise UsageError(f"the database is {_said(found)}, this version needs {wanted}: run `dreamgate migrate`")


def _check(database: "Database") -> int:
    from server import migrate

    found, wanted = migrate.current(database), migrate.head()
    if found == wanted:
        print(f"the database is at {wanted}: nothing to do")
        return OK
    print(f"the database is {_said(found)}, this version needs {wanted}: run `dreamgate migrate`")
    return RED


def _said(revision: str | None) -> str:
    return f"at {revision}" if revision else "empty"
