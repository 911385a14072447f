"""What the worker's tests share: a server in memory, places below a temporary folder, and a stand-in for the core."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.worker import pretend
from tests.worker.fakes import FakeServer
from worker import command
from worker.places import Places
from worker.settings import Settings
from worker.source import Source
from worker.tools import Tools


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def tools(tmp_path: Path, server: FakeServer) -> Tools:
    places = Places(tmp_path / "runs")
    return Tools(
        settings=Settings(
            server="http://nowhere", token=None, broker_url=None, runs=places.runs, source_repo=None,
            grace_s=10, look_s=0.1,
        ),
        client=server.client,
        heart=server.client,
        places=places,
        source=Source(places.source, None),
    )  # fmt: skip


@pytest.fixture
def pretend_core(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Children are stand-ins from now on, which do what they are told here."""

    def launch(ranks: int) -> Sequence[str]:
        return [sys.executable, str(Path(pretend.__file__))]

    def play(**asked: Any) -> None:
        monkeypatch.setenv("PRETEND", json.dumps(asked))

    monkeypatch.setattr(command, "_launch", launch)
    play()
    return play
