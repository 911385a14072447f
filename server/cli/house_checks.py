"""What `doctor` looks at around the server: the data folder, the database, the broker, the server and its workers."""

import importlib.util
import json
import shutil
import socket
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from server.cli.broker import find_binary
from server.cli.finding import Check, Finding
from server.cli.listening import PortTakenError, listen
from server.cli.ready import ask_health
from server.keys import read_token
from server.settings import Settings

_ROOM_GIB = 2.0


def house_checks(settings: Settings, elsewhere: str | None) -> dict[str, Check]:
    """`elsewhere` is the server that this machine works for, where that is not one of its own."""
    server = elsewhere or f"http://127.0.0.1:{settings.port}"
    return {
        "data": lambda: _data(settings.data),
        "database": lambda: _database(settings),
        "broker": lambda: _broker(settings),
        "server": lambda: _server(settings, server),
        "worker": lambda: _worker(settings, server, must_be_here=elsewhere is not None),
    }


def _data(data: Path) -> Finding:
    place = next(folder for folder in (data, *data.parents) if folder.exists())
    free = shutil.disk_usage(place).free / 2**30
    words = f"{data}, {free:.1f} GiB free" + ("" if data.exists() else ", not made yet")
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        words = f"{place} cannot be written to: {error.strerror}"
        return Finding("data", "fail", words, "Choose another folder: --data, or DREAMGATE_DATA.")
    if free < _ROOM_GIB:
        return Finding("data", "warn", words, f"Make room: checkpoints and replays want more than {_ROOM_GIB:g} GiB.")
    return Finding("data", "ok", words)


def _database(settings: Settings) -> Finding:
    if importlib.util.find_spec("sqlmodel") is None:
        return Finding("database", "ok", "not asked: only a server needs it, and its packages are not here")
    from sqlalchemy.engine import make_url

    from server import migrate
    from server.database import Database

    url = make_url(settings.database_url)
    place = url.render_as_string(hide_password=True)
    if url.drivername == "sqlite" and not Path(url.database or "").exists():
        return Finding("database", "ok", f"{place}, not made yet")
    database = Database(settings.database_url)
    try:
        found, wanted = migrate.current(database), migrate.head()
    except Exception as error:  # each driver has errors of its own
        todo = "Check DREAMGATE_DATABASE_URL, and that the database runs."
        return Finding("database", "fail", f"{place} does not answer: {str(error).splitlines()[0]}", todo)
    finally:
        database.close()
    if found == wanted:
        return Finding("database", "ok", f"{place}, at {found}")
    return Finding(
        "database", "fail", f"{place} is at {found or 'nothing'}, wanted {wanted}", "Run `dreamgate migrate`."
    )


def _broker(settings: Settings) -> Finding:
    from server.queue import CeleryWakeUps

    if settings.broker_url is not None:
        problem = CeleryWakeUps(settings.broker_url).ping()
        if problem:
            todo = "Start it, or unset DREAMGATE_BROKER_URL: `up` then brings its own."
            return Finding("broker", "fail", problem, todo)
        return Finding("broker", "ok", "DREAMGATE_BROKER_URL answers")
    binary = find_binary()
    if binary is None:
        return Finding("broker", "warn", "none: workers look for jobs by themselves, every few seconds")
    return Finding("broker", "ok", f"`up` brings its own, {binary}")


def _server(settings: Settings, server: str) -> Finding:
    health = ask_health(server)
    if health is not None and health.get("status") == "ok":
        return Finding("server", "ok", f"{server} runs {health['version']}")
    if health is not None:
        return Finding("server", "fail", f"{server} says {json.dumps(health)}", "Its log has the details.")
    try:
        listen(settings.host, settings.port).close()
    except PortTakenError as error:
        return Finding("server", "warn", f"none runs, and {error}")
    return Finding("server", "warn", f"none answers at {server}", "Start one: `dreamgate up`, or `dreamgate serve`.")


def _worker(settings: Settings, server: str, *, must_be_here: bool) -> Finding:
    workers = _ask(f"{server}/api/v1/workers", settings)
    if workers is None:
        return Finding("worker", "warn", "cannot tell: the server does not answer, or the token is not its own")
    live = [worker for worker in workers["items"] if worker["state"] == "online"]
    if must_be_here:
        live = [worker for worker in live if worker["host"] == socket.gethostname()]
    if not live:
        words = f"none of this machine is online at {server}" if must_be_here else "none is online, jobs stay queued"
        return Finding("worker", "warn", words, "Start one: `dreamgate worker`.")
    names = ", ".join(f"{worker['name']} ({', '.join(worker['queues'])})" for worker in live[:5])
    return Finding("worker", "ok", f"{len(live)} online: {names}")


def _ask(address: str, settings: Settings) -> Any:
    """None where it does not work out. A token is not made for a question."""
    if settings.token is None and not (settings.data / "token").exists():
        return None
    headers = {"Authorization": f"Bearer {read_token(settings)}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=5) as answer:  # noqa: S310
            return json.load(answer)
    except (OSError, ValueError):
        return None
