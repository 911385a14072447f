"""`dreamgate serve`: the web server alone, as it runs in production. Workers are started by `dreamgate worker`."""

import argparse
import gc
import logging
import secrets
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dreamer_core.errors import UsageError
from server.cli import places
from server.cli.listening import address_of, listen

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.settings import Settings

# Long enough for an upload that is nearly done; streams end at once.
_STOP_S = 10
_TOKEN_LENGTH = 16


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "serve",
        help="run the web server",
        description="Runs the web server until SIGTERM or Ctrl-C. docs/operation.md lists the DREAMGATE_ variables.",
    )
    places.add_address(parser)
    places.add_data(parser)
    parser.add_argument("--no-migrate", action="store_true", help="refuse an old database, do not bring it up to date")
    parser.add_argument("--access-log", action="store_true", help="log every request")
    parser.add_argument("--fd", type=int, help=argparse.SUPPRESS)  # a port that `up` has opened already
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    gc.disable()  # what is imported stays: looking for rubbish in it makes the start slower by a fifth
    settings = places.settings_of(args)
    _refuse_weak_token(settings)
    places.make_data(settings.data)
    opened = socket.socket(fileno=args.fd) if args.fd is not None else listen(settings.host, settings.port)
    settings = replace(
        settings, port=opened.getsockname()[1], login_code=settings.login_code or secrets.token_urlsafe()
    )
    _log_to_stderr()
    app = _prepare(settings, migrate=not args.no_migrate)
    if args.fd is None:
        sys.stdout.write(f"dreamgate: {address_of(opened)}/login?code={settings.login_code}\n")
        sys.stdout.flush()
    _serve(app, opened, access_log=args.access_log)
    return 0


def _refuse_weak_token(settings: "Settings") -> None:
    if settings.token is not None and len(settings.token) < _TOKEN_LENGTH and not settings.is_local:
        raise UsageError(
            f"DREAMGATE_TOKEN has {len(settings.token)} characters, and a server that others can reach needs at least "
            f"{_TOKEN_LENGTH}: unset it to have one made, or take `openssl rand -base64 32`"
        )


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for talkative in ("alembic", "uvicorn.error", "httpx2"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def _prepare(settings: "Settings", *, migrate: bool) -> "FastAPI":
    from server.assets import find_assets
    from server.cli.migrate import Migration, explained, refuse_old
    from server.database import Database
    from server.keys import read_token

    find_assets()  # pages without their scripts would be a riddle
    read_token(settings)  # made now if it has to be: programs look for it
    database = Database(settings.database_url)
    migration = Migration(database) if migrate else None
    from server.app import create_app  # takes as long as a migration, so it does not wait for one

    if migration is not None:
        migration.finish()
    else:
        with explained(database):
            refuse_old(database)
    database.close()
    app = create_app(settings)
    if settings.broker_url is not None:
        app.state.checks.broker.look()  # one that was named and is dead belongs into the log from the start
    gc.freeze()
    gc.enable()
    return app


def _serve(app: "FastAPI", opened: socket.socket, *, access_log: bool) -> None:
    import uvicorn

    bell = app.state.house.bell

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            """Stopping when told to is no failure: unlike uvicorn, do not die of the same signal afterwards."""
            self.force_exit = self.should_exit
            self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            bell.close()
            await super().shutdown(sockets)

    config = uvicorn.Config(app, log_config=None, access_log=access_log, timeout_graceful_shutdown=_STOP_S)
    Server(config).run(sockets=[opened])
