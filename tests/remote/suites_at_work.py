"""Suites as commands start them: applied from a file, worked on by a thread, given numbers in a file."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreamer_core.cli.main import main
from dreamer_core.remote import Client
from tests.remote.judged import work

Captured = pytest.CaptureFixture[str]


def applied(at: str, tmp_path: Path, suite: dict[str, Any]) -> str:
    file = tmp_path / f"{suite['name']}.yaml"
    file.write_text(yaml.safe_dump(suite))
    assert main(["suite", "apply", str(file), "--server", at]) == 0
    return str(suite["name"])


def working(client: Client, queue: str, scores: list[float]) -> threading.Thread:
    """A worker that waits for its jobs."""

    def go() -> None:
        deadline = time.monotonic() + 20
        while not any(found.name == queue and found.queued for found in client.queues()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        work(client, queue, scores)

    thread = threading.Thread(target=go)
    thread.start()
    return thread


def parity(tmp_path: Path, error: float, name: str = "parity.json") -> Path:
    file = tmp_path / name
    file.write_text(json.dumps({"parity": [{"name": name, "error": error, "tolerance": 1e-6, "reference": "us"}]}))
    return file
