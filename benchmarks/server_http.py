"""One kept connection to a server under test, and how long its answers take."""

import http.client
import socket
import time
from collections.abc import Mapping
from typing import NamedTuple

_IDLE_S = 3  # servers hang up on who is silent for longer; uvicorn after 5 s


class Request(NamedTuple):
    method: str
    path: str
    body: bytes | None = None


class Answer(NamedTuple):
    body: bytes
    seconds: float


class Http:
    def __init__(self, port: int, headers: Mapping[str, str] = {}) -> None:
        self._port, self._headers = port, {"Content-Type": "application/json", **headers}
        self._connection, self._used = self._connect(), time.monotonic()

    def send(self, request: Request) -> Answer:
        if time.monotonic() - self._used > _IDLE_S:
            self._connection = self._connect()
        start = time.perf_counter()
        self._connection.request(request.method, request.path, request.body, self._headers)
        response = self._connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - start
        self._used = time.monotonic()
        if response.status >= 400:
            raise RuntimeError(f"{request.method} {request.path} answered {response.status}: {body[:300]!r}")
        return Answer(body, seconds)

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # headers and body are two writes
        return connection


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
