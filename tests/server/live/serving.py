"""The application behind a real uvicorn on loopback, and a listener that reads its streams frame by frame."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx2
import uvicorn

from server.app import build_app
from server.house import House
from tests.server.conftest import TOKEN

PATIENCE_S = 10


class Frame(NamedTuple):
    """One block of the stream: an event, or only an id, a wait or a comment."""

    id: str | None = None
    event: str | None = None
    data: Any = None
    retry: str | None = None
    comment: str | None = None


class Served(NamedTuple):
    address: str
    server: uvicorn.Server


@contextmanager
def served(house: House) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        server = uvicorn.Server(uvicorn.Config(build_app(house), log_config=None, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        wait_until(lambda: server.started)
        try:
            yield Served(f"http://127.0.0.1:{opened.getsockname()[1]}", server)
        finally:
            house.bell.close()
            server.should_exit = True
            thread.join()


@contextmanager
def listening(address: str, path: str, *, cursor: str | None = None) -> Iterator[Iterator[Frame]]:
    """The frames as they come; no frame for so long as nobody would wait is an error."""
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Last-Event-ID": cursor} if cursor else {})
    url = f"{address}/api/v1{path}"
    with httpx2.stream("GET", url, headers=headers, timeout=PATIENCE_S, trust_env=False) as response:
        response.raise_for_status()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _frames(response.iter_lines())


def until(frames: Iterator[Frame], event: str) -> list[Frame]:
    """Up to and with the first of this kind, without the frames that only say how to wait."""
    found = []
    for frame in frames:
        if frame.event:
            found.append(frame)
        if frame.event == event:
            break
    return found


def wait_until(is_so: Any) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.01)


def _frames(lines: Iterator[str]) -> Iterator[Frame]:
    frame = Frame()
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            yield frame
            frame = Frame()
        else:
            text = value.removeprefix(" ")
            frame = frame._replace(**{name or "comment": json.loads(text) if name == "data" else text})
