"""Two ways to take a database away from a server that runs, and to give it back."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

_KEEP = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("kept", flush=True)
sys.stdin.read()
"""


class Outage(Protocol):
    url: str  # of the database, for the server

    def begin(self) -> None: ...
    def end(self) -> None: ...


class Wire:
    """Between a server and its Postgres. While it is cut, nobody gets through or in."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "", parts.port or 0)
        self._ends: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.url = url.replace(f":{parts.port}/", f":{self._port}/")
        self._listen()

    def begin(self) -> None:
        # Closing alone would not wake up who waits in `accept`, and the port would stay open.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._ends):
            _shut(end)

    def end(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                here, _ = listener.accept()
            except OSError:  # cut
                return
            there = socket.create_connection(self._to)
            self._ends |= {here, there}
            for ends in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                to.sendall(data)
        for end in (source, to):
            _shut(end)
            self._ends.discard(end)


class Keeper:
    """Another process that begins to write to a SQLite file, and takes its time."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._process: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        command = [sys.executable, "-c", _KEEP, self.url.removeprefix("sqlite:///")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "kept\n"

    def end(self) -> None:
        if self._process is not None:
            self._process.communicate("")
            self._process = None


@contextmanager
def outage_of(url: str) -> Iterator[Outage]:
    outage: Outage = Keeper(url) if url.startswith("sqlite") else Wire(url)
    try:
        yield outage
    finally:
        if isinstance(outage, Keeper):
            outage.end()
        else:
            outage.begin()


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
