"""Waiting for a suite while something is away: the server, a worker, a commit, or whoever waits."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dreamer_core.cli.main import main
from dreamer_core.cli.suite_progress import Lines
from dreamer_core.remote import suite_waiting
from dreamer_core.remote.suite_shapes import SuiteRunDetail
from dreamer_core.remote.worker_messages import WorkerFacts
from tests.remote.conftest import RunningServer
from tests.remote.fakes import Serve, ok
from tests.remote.judged import a_suite, work
from tests.remote.suites_at_work import Captured, applied

pytestmark = pytest.mark.usefixtures("suites_by_hand")


def at_the_first_look(monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> None:
    look, looked = Lines.on_look, threading.Event()

    def first(lines: Lines, run: SuiteRunDetail) -> None:
        look(lines, run)
        if not looked.is_set():
            looked.set()
            do()

    monkeypatch.setattr(Lines, "on_look", first)


def started(server: RunningServer, tmp_path: Path, capsys: Captured) -> str:
    name = applied(server.url, tmp_path, a_suite("outage"))
    capsys.readouterr()
    assert main(["suite", "run", name, "--server", server.url]) == 0
    return capsys.readouterr().out.strip()


def test_a_short_outage_is_waited_out(
    own_server: RunningServer, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite_run_id = started(own_server, tmp_path, capsys)
    monkeypatch.setattr("dreamer_core.cli.server_options._PATIENCE_S", 0.0)

    def start_again() -> None:
        time.sleep(0.5)
        own_server.start()
        with own_server.client() as client:
            work(client, "outage", [450.0])

    starting = threading.Thread(target=start_again)

    def stop() -> None:
        own_server.stop()
        starting.start()

    at_the_first_look(monkeypatch, stop)
    assert main(["suite", "show", suite_run_id, "--wait", "--server", own_server.url]) == 0
    starting.join()


def test_a_server_that_is_lost_for_good_is_4_and_one_line_with_the_way_back(
    own_server: RunningServer, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite_run_id = started(own_server, tmp_path, capsys)
    monkeypatch.setattr("dreamer_core.cli.server_options._PATIENCE_S", 0.0)
    monkeypatch.setattr(suite_waiting, "LONGEST_OUTAGE_S", 0.2)
    at_the_first_look(monkeypatch, own_server.stop)
    assert main(["suite", "show", suite_run_id, "--wait", "--server", own_server.url]) == 4
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dreamgate:")]
    assert "cannot be reached" in line
    assert f"dreamgate suite show {suite_run_id} --wait" in line
    own_server.start()


def test_a_server_that_was_never_there_is_4_at_once(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamer_core.cli.server_options._PATIENCE_S", 0.0)
    for words in (["run", "daily", "--wait"], ["show", "abc", "--wait"], ["list"]):
        assert main(["suite", *words, "--server", "http://127.0.0.1:9"]) == 4
        assert "cannot be reached" in capsys.readouterr().err


SUITE_RUN: dict[str, Any] = {
    **{"id": "abc", "suite": "daily", "suite_version": 1, "state": "running", "verdict": None, "green": None},
    **{"reason": "", "commit": None, "branch": None, "trigger": "ci", "who": "", "created_at": "", "ended_at": None},
    **{"jobs": {"total": 1, "done": 0, "failed": 0}, "scenarios": []},
}


def test_interrupting_leaves_the_suite_alone_and_says_how_to_come_back(serve: Serve, capsys: Captured) -> None:
    server = serve(ok(SUITE_RUN), KeyboardInterrupt())
    assert main(["suite", "show", "abc", "--wait"]) == 130
    err = capsys.readouterr().err
    assert "the suite goes on" in err
    there = "--server http://server.test`"
    assert (
        f"`dreamgate suite show abc --wait {there} comes back to it, `dreamgate suite cancel abc {there} stops it"
        in err
    )
    assert all(request.method == "GET" for request in server.asked)


def test_interrupting_a_run_that_has_just_been_started_says_the_same(serve: Serve, capsys: Captured) -> None:
    suite: dict[str, Any] = {
        **{"name": "daily", "version": 1, "created_at": "", "source": "", "question": "", "schedule": None},
        **{"next_at": None, "scenarios": [], "unused_gates": [], "body": {"scenarios": []}, "latest": None},
    }
    serve(ok(suite), ok(SUITE_RUN), ok({"items": []}), KeyboardInterrupt())
    assert main(["suite", "run", "daily", "--wait", "--installed"]) == 130
    err = capsys.readouterr().err
    assert "no worker is online: the jobs wait for one" in err
    assert "the suite goes on" in err


def test_a_commit_that_no_worker_can_check_out_is_a_warning(
    own_server: RunningServer, tmp_path: Path, capsys: Captured
) -> None:
    name = applied(own_server.url, tmp_path, a_suite("nobody-can"))
    with own_server.client() as client:
        client.register_worker(WorkerFacts(name="plain", host="here", pid=1, queues=("cpu",), slots=1))
    assert main(["suite", "run", name, "--commit", "1a2b3c4", "--server", own_server.url]) == 0
    assert "no worker can check out 1a2b3c4" in capsys.readouterr().err
    assert main(["suite", "run", name, "--installed", "--server", own_server.url]) == 0
    assert "no worker" not in capsys.readouterr().err


def test_jobs_that_no_worker_serves_are_said_at_once_and_in_every_report(
    own_server: RunningServer, tmp_path: Path, capsys: Captured
) -> None:
    name = applied(own_server.url, tmp_path, a_suite("for-a-gpu"))
    with own_server.client() as client:
        client.register_worker(WorkerFacts(name="plain", host="here", pid=1, queues=("cpu",), slots=1))
    junit, why = tmp_path / "out.xml", "No live worker serves the queue 'for-a-gpu'."
    files = ["--junit", str(junit), "--server", own_server.url]
    assert main(["suite", "run", name, "--installed", "--wait", "--timeout", "0", *files]) == 3
    shown = capsys.readouterr()
    assert f"dreamgate: cart: {why} The jobs wait for one." in shown.err
    assert f"cart: waits for 1 of 1 jobs: {why}" in shown.err
    assert f"not judged: waits for 1 of 1 jobs: {why}" in shown.out
    assert why in "".join(ElementTree.parse(junit).getroot().itertext())


def test_a_try_that_confirms_is_told(serve: Serve, capsys: Captured) -> None:
    scenario: dict[str, Any] = {
        "name": "cart",
        "verdict": None,
        "attempt": 2,
        "waits_for": None,
        "runs": [],
        "results": [],
    }
    serve(ok({**SUITE_RUN, "scenarios": [scenario]}))
    assert main(["suite", "show", "abc", "--wait", "--timeout", "0"]) == 3
    assert "cart (try 2): is being judged" in capsys.readouterr().err
    assert main(["suite", "show", "abc", "--wait", "--timeout", "0", "--json"]) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[0])["attempt"] == 2
