"""`dreamgate serve` for real: it says where it is, keeps what it was told, and ends when told to."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.house.processes import Command, environment, get, wait_for


class Serve(Command):
    def __init__(self, folder: Path, *words: str, **told: str) -> None:
        super().__init__("serve", "--port", "0", "--data", "data", *words, folder=folder, **told)
        self.login = self.first_line().split()[1]
        self.url = self.login.partition("/login")[0]
        self.token = (folder / "data" / "token").read_text().strip()
        wait_for(lambda: get(f"{self.url}/health"))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with Serve(tmp_path) as serve:
        yield serve


def refused(folder: Path, *words: str, **told: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "dreamer_core.cli.main", "serve", "--port", "0", "--data", "data", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(**told), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_when_told(serve: Serve, number: int) -> None:
    assert serve.stop(number) == 0
    assert "Traceback" not in serve.complaints()


def test_open_streams_do_not_hold_up_a_stop(serve: Serve) -> None:
    asked = urllib.request.Request(f"{serve.url}/api/v1/live", headers={"Authorization": f"Bearer {serve.token}"})
    with urllib.request.urlopen(asked, timeout=10):
        started = time.monotonic()
        assert serve.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 3


def test_an_old_database_is_refused_where_it_must_not_be_migrated(tmp_path: Path) -> None:
    answer = refused(tmp_path, "--no-migrate")
    assert answer.returncode == 2
    assert "run `dreamgate migrate`" in answer.stderr


def test_a_weak_token_is_refused_where_others_can_reach_the_server(tmp_path: Path) -> None:
    answer = refused(tmp_path, "--host", "0.0.0.0", DREAMGATE_TOKEN="letmein")
    assert answer.returncode == 2
    assert "DREAMGATE_TOKEN has 7 characters" in answer.stderr


def test_the_log_names_no_token_and_no_request(serve: Serve) -> None:
    get(f"{serve.url}/api/v1/runs?q=hidden", serve.token)
    serve.stop(signal.SIGTERM)
    assert serve.token not in serve.complaints()
    assert "hidden" not in serve.complaints()


def test_requests_are_logged_when_asked_for(tmp_path: Path) -> None:
    with Serve(tmp_path, "--access-log") as serve:
        assert '"GET /health HTTP/1.1" 200' in serve.complaints()


def test_a_broker_that_was_named_and_is_dead_is_in_the_log_from_the_start(tmp_path: Path) -> None:
    with Serve(tmp_path, DREAMGATE_BROKER_URL="redis://127.0.0.1:1/0") as serve:
        wait_for(lambda: "the broker does not answer" in serve.complaints())
        wait_for(lambda: get(f"{serve.url}/health")["broker"] == "does not answer")
        assert get(f"{serve.url}/health")["status"] == "degraded"


def test_a_broker_may_be_called_valkey(tmp_path: Path) -> None:
    with Serve(tmp_path, DREAMGATE_BROKER_URL="valkey://127.0.0.1:1/0") as serve:
        wait_for(lambda: (get(f"{serve.url}/health") or {}).get("broker") == "does not answer")
