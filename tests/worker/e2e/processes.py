"""A server, a broker and workers as they really are: processes of their own on loopback, in a temporary folder."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

from dreamer_core.remote import Client
from dreamer_core.remote.shapes import Job
from tests.e2e.runs import NOT_NUMBERS
from worker.command import launches

CLI = [sys.executable, "-P", "-m", "dreamer_core.cli.main"]
LEASE_S = 2.0


class Stage:
    """Everything that it starts, it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(16)
        self.broker_url: str | None = None
        self.client = Client(self.url, self.token, patience_s=20)
        self._processes: list[subprocess.Popen[bytes]] = []

    def serve(self) -> "subprocess.Popen[bytes]":
        """The server, ready to answer. Called again after a kill, it is the same one on the same data."""
        words = ["serve", "--port", str(self.port)]
        settings = {"DREAMGATE_LEASE_S": str(LEASE_S), "DREAMGATE_TIMER_S": "0.3"}
        process = self._start("server", words, settings)
        wait_for(lambda: answers(self.port), 30)
        return process

    def work(self, name: str = "first", *options: str, **settings: str) -> "subprocess.Popen[bytes]":
        words = ["worker", "--name", name, "--runs", str(self.folder / name), "--queues", "cpu", *options]
        return self._start(f"worker-{name}", words, {"DREAMGATE_LOOK_S": "0.3", "DREAMGATE_GRACE_S": "30", **settings})

    def submit(self, *words: str, **fields: Any) -> str:
        """The id of a job."""
        body = {"kind": "train", "words": list(words), "queue": "cpu", **fields}
        found = self.client._http.json("POST", "/jobs", body, makes=True)
        return str(found["items"][0]["run_id"])

    def job(self, run_id: str) -> Job:
        return self.client.get_job(run_id)

    def state(self, run_id: str) -> str:
        return self.job(run_id).state

    def records(self, run_id: str) -> int:
        return self.client.records(run_id, limit=1).total

    def numbers(self, run_id: str) -> list[dict[str, str]]:
        """The whole series as the server has it."""
        found = self.client.records(run_id, limit=1000)
        assert found.total < 1000
        return plain(found.records)

    def wait_until(self, run_id: str, *states: str, timeout_s: float = 90) -> Job:
        wait_for(lambda: self.state(run_id) in states, timeout_s, lambda: self.tell(run_id))
        return self.job(run_id)

    def tell(self, run_id: str) -> str:
        """What is worth knowing where a test fails."""
        logs = [f"--- {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log"))]
        return "\n".join([repr(self.job(run_id)), self.client.read_log(run_id), *logs])

    def child_of(self, worker: "subprocess.Popen[bytes]") -> psutil.Process:
        """The process in which a job of this worker runs."""
        found: list[psutil.Process] = []

        def look() -> bool:
            found[:] = [
                child
                for child in psutil.Process(worker.pid).children(recursive=True)
                if "dreamer_core.cli.main" in child.cmdline() and not launches(child.cmdline())
            ]
            return bool(found)

        wait_for(look, 20)
        return found[0]

    def close(self) -> None:
        self.client.close()
        for process in self._processes:
            if process.poll() is None:
                tree = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                for child in tree:
                    if child.is_running():
                        child.kill()
            process.wait(10)

    def broker(self, port: int) -> "subprocess.Popen[bytes]":
        """Redis, with its data kept in the folder."""
        data = self.folder / "broker"
        data.mkdir(exist_ok=True)
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(data)]
        process = self._run("broker", [*command, "--appendonly", "yes", "--save", ""], os.environ)
        wait_for(lambda: answers(port), 10)
        self.broker_url = f"redis://127.0.0.1:{port}/0"
        return process

    def _start(self, name: str, words: list[str], settings: dict[str, str]) -> "subprocess.Popen[bytes]":
        own = {
            "DREAMGATE_DATA": str(self.folder / "data"),
            "DREAMGATE_SERVER": self.url,
            "DREAMGATE_TOKEN": self.token,
            "OMP_NUM_THREADS": "1",
        }
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("DREAMGATE_")}
        broker = {"DREAMGATE_BROKER_URL": self.broker_url} if self.broker_url else {}
        return self._run(name, [*CLI, *words], inherited | own | broker | settings)

    def _run(self, name: str, command: list[str], environment: Any) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(environment), start_new_session=True)
        self._processes.append(process)
        return process


def plain(records: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Without what a clock says. As text, since NaN does not equal itself; the server knows no whole numbers."""
    return [{key: repr(float(value)) for key, value in row.items() if key not in NOT_NUMBERS} for row in records]


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def wait_for(is_time: Callable[[], object], timeout_s: float = 30, tell: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, f"the moment never came\n{tell()}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
