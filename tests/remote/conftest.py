"""Servers to speak to: one that answers what it is told, and a real one that can be stopped and started again."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from dreamer_core.cli import server_options
from dreamer_core.remote import Client, suite_waiting
from server import migrate
from server.app import create_app
from server.database import Database
from server.settings import Settings
from tests.remote.fakes import Answer, Scripted, Serve, client_of

TOKEN = "a-token-for-tests"


class RunningServer:
    """In a thread of this process, on SQLite, with its timer on."""

    def __init__(self, data: Path) -> None:
        self.settings = Settings(
            data=data,
            database_url=f"sqlite:///{data / 'dreamgate.db'}",
            broker_url=None,
            artifacts_url=str(data / "artifacts"),
            token=TOKEN,
            timer_s=0.2,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        database = Database(self.settings.database_url)
        migrate.upgrade(database)
        database.close()

    def start(self) -> None:
        config = uvicorn.Config(
            create_app(self.settings), port=self.port, log_level="error", timeout_graceful_shutdown=1, lifespan="on"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="server under test")
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    def client(self, *, patience_s: float = 10.0) -> Client:
        return Client(self.url, TOKEN, patience_s=patience_s)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """For a test that stops and starts it."""
    running = RunningServer(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """`serve(answer, ...)`: a server that gives these answers to the command that is called next."""

    def start(*answers: Answer) -> Scripted:
        server = Scripted(*answers)
        monkeypatch.setattr(server_options, "open_client", lambda args: client_of(server, patience_s=0))
        return server

    return start


@pytest.fixture
def client(shared_server: RunningServer) -> Iterator[Client]:
    with shared_server.client() as client:
        yield client


@pytest.fixture
def suites_by_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looked at often; the token is known; and one does not stand in a repository."""
    monkeypatch.setattr(suite_waiting, "EVERY_S", 0.05)
    monkeypatch.setenv("DREAMGATE_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def at(shared_server: RunningServer) -> str:
    return shared_server.url
