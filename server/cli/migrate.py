"""`dreamgate migrate`: bring the database to the tables of this version, or only say whether it is there."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dreamer_core.errors import BROKE, OK, RED, DreamgateError, UsageError
from server.cli import places

if TYPE_CHECKING:
    from server.database import Database


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
    """Bringing a database up to date where it is not; an old one in a process of its own: no server holds Alembic."""

    def __init__(self, database: "Database") -> None:
        from sqlalchemy.exc import DBAPIError

        from server.revision import fill_new_sqlite, is_up_to_date

        self._process: subprocess.Popen[bytes] | None = None
        if database.is_sqlite:
            with suppress(DBAPIError):  # the migration will meet it too, and say it in words
                fill_new_sqlite(database)
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
