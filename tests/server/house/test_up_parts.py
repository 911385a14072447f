"""The parts of `up`: one per data folder, a port, a broker's socket, and the question whether the server is ready."""

import argparse
import errno
import fcntl
import http.server
import io
import json
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from server.cli import datalock, places, up
from server.cli.broker import find_binary, make_broker
from server.cli.clone_here import clone_here
from server.cli.datalock import DataInUseError, LeftoversError
from server.cli.listening import PortTakenError, address_of, listen
from server.cli.ready import NotReadyError, wait_until_ready


def test_a_second_up_is_told_where_the_first_one_runs(tmp_path: Path) -> None:
    with datalock.hold(tmp_path, pytest.fail) as lock:
        lock.note("http://127.0.0.1:8420")
        with pytest.raises(DataInUseError, match=r"http://127.0.0.1:8420, process \d+.*--data"):
            datalock.hold(tmp_path, pytest.fail).__enter__()


def test_the_folder_is_free_when_the_first_up_is_gone(tmp_path: Path) -> None:
    for _ in range(2):
        with datalock.hold(tmp_path, pytest.fail) as lock:
            lock.note("somewhere")


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with datalock.hold(tmp_path / "new", pytest.fail):
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_what_a_killed_up_left_behind_is_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    with (tmp_path / "children.lock").open("a") as left_behind:
        fcntl.flock(left_behind, fcntl.LOCK_EX)
        ending = threading.Timer(0.3, lambda: fcntl.flock(left_behind, fcntl.LOCK_UN))
        ending.start()
        with datalock.hold(tmp_path, said.append):
            ending.join()
    assert said == ["an earlier `up` was killed; waiting until what it had started has ended"]


def test_what_does_not_end_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with (tmp_path / "children.lock").open("a") as left_behind:
        fcntl.flock(left_behind, fcntl.LOCK_EX)
        with pytest.raises(LeftoversError, match="still runs"):
            datalock.hold(tmp_path, lambda _: None, patience_s=0.01).__enter__()


def test_a_port_that_is_taken_is_said_to_be() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} .* is taken.*--port"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said_to_be() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 203\.0\.113\.1"):
        listen("203.0.113.1", 0)


def test_an_address_can_be_typed_into_a_browser() -> None:
    with listen("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        assert address_of(opened) == f"http://127.0.0.1:{port}"
        assert address_of(opened, name="::1") == f"http://[::1]:{port}"


def test_the_clone_of_dreamgate_that_one_stands_in_is_found_and_no_other(tmp_path: Path) -> None:
    assert clone_here(tmp_path) is None
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert clone_here(tmp_path) is None
    (tmp_path / "dreamer_core" / "cli").mkdir(parents=True)
    (tmp_path / "dreamer_core" / "cli" / "main.py").touch()
    assert clone_here(tmp_path / "dreamer_core") == tmp_path


@pytest.mark.parametrize(
    ("told", "repository"),
    [({}, "clone"), ({"DREAMGATE_HOST": "0.0.0.0"}, None), ({"DREAMGATE_SOURCE_REPO": "mine"}, "mine")],
)
def test_up_lets_its_worker_check_out_the_clone_where_only_this_machine_reaches_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: dict[str, str], repository: str | None
) -> None:
    monkeypatch.delenv("DREAMGATE_SOURCE_REPO", raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(up, "clone_here", lambda folder: "clone")
    args = argparse.Namespace(data=tmp_path, host=None, port=0)
    settings = places.settings_of(args)
    with listen("127.0.0.1", 0) as opened:
        crew = up._gather(args, settings, opened, 0)
    assert crew.environ.get("DREAMGATE_SOURCE_REPO") == repository
    if crew.embedded is not None:
        crew.embedded.clean_up()


def test_who_listens_everywhere_is_reached_under_the_name_of_the_machine() -> None:
    with listen("0.0.0.0", 0) as opened:
        assert address_of(opened).startswith(f"http://{socket.gethostname()}:")


def test_the_broker_listens_in_the_data_folder_where_its_path_is_short(tmp_path: Path) -> None:
    broker = make_broker(Path("valkey-server"), tmp_path)
    expected = tmp_path / "broker" / "broker.sock"
    if len(bytes(expected)) <= 107:
        assert broker.socket == expected
    assert "--port 0" in " ".join(broker.command)
    broker.clean_up()


@pytest.mark.parametrize("name", ["x" * 100, "with space", "per%cent"])
def test_the_broker_listens_elsewhere_where_the_path_cannot_be_an_address(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    broker = make_broker(Path("valkey-server"), tmp_path / name)
    assert len(bytes(broker.socket)) <= 107
    assert stat.S_IMODE(broker.socket.parent.stat().st_mode) == 0o700
    assert broker.folder == tmp_path / name / "broker"
    broker.clean_up()
    assert not broker.socket.parent.exists()


def test_the_binary_is_found_without_importing_its_package() -> None:
    binary = find_binary()
    assert binary is None or (binary.name == "valkey-server" and binary.is_file())


class Health(http.server.BaseHTTPRequestHandler):
    answers: list[tuple[int, object]]

    def do_GET(self) -> None:
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def health(database: str = "ok", broker: str = "ok") -> tuple[int, object]:
    return 200, {"status": "ok", "version": "1", "database": database, "broker": broker}


@pytest.fixture
def answering() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_server_is_ready_when_database_and_broker_are(answering: http.server.ThreadingHTTPServer) -> None:
    Health.answers = [health(database="does not answer"), health(broker="asking"), health()]
    wait_until_ready(f"http://127.0.0.1:{answering.server_port}", lambda: None)
    assert Health.answers == [health()]


def test_no_broker_at_all_is_fine(answering: http.server.ThreadingHTTPServer) -> None:
    Health.answers = [health(broker="none")]
    wait_until_ready(f"http://127.0.0.1:{answering.server_port}", lambda: None)


def test_a_broker_that_was_named_and_is_dead_is_a_loud_error(answering: http.server.ThreadingHTTPServer) -> None:
    Health.answers = [health(broker="does not answer")]
    with pytest.raises(NotReadyError, match="DREAMGATE_BROKER_URL") as caught:
        wait_until_ready(f"http://127.0.0.1:{answering.server_port}", lambda: None)
    assert caught.value.exit_code == 4


def test_waiting_ends_when_the_server_is_dead() -> None:
    with pytest.raises(NotReadyError, match="the server ended"):
        wait_until_ready("http://127.0.0.1:1", lambda: "the server ended")


class Gone(io.StringIO):
    """A terminal that was closed."""

    def write(self, _: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())
    up.say("and nobody hears it")
