"""A server under test as processes: starting it, and what it takes of the machine."""

import contextlib
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from server_http import Http, Request

_START_S = 180


@dataclass(frozen=True)
class Usage:
    cpu_s: float
    rss_mib: float
    pss_mib: float
    processes: int


class Server:
    """Ends with all its children."""

    def __init__(self, command: Sequence[str], folder: Path, port: int, environ: Mapping[str, str], ping: str) -> None:
        self.port = port
        folder.mkdir(parents=True, exist_ok=True)
        self._log = (folder / "server.log").open("ab")
        # A user's Python keeps what it compiled; one that may not would measure its compiler at every start.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        start = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env={**kept, **environ}, stdout=self._log, stderr=self._log
        )
        self._wait(ping)
        self.start_s = time.perf_counter() - start

    def usage(self) -> Usage:
        cpu = rss = pss = 0.0
        family = self._family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                times, memory = process.cpu_times(), process.memory_full_info()
                cpu += times.user + times.system
                rss += memory.rss / 2**20
                pss += memory.pss / 2**20
        return Usage(cpu, rss, pss, len(family))

    def stop(self) -> None:
        family = self._family()
        self._process.terminate()
        _, left = psutil.wait_procs(family, timeout=15)
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        self._log.close()

    def _family(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _wait(self, ping: str) -> None:
        """Until the first answer."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended at its start; see {self._log.name}")
            try:
                Http(self.port).send(Request("GET", ping))
            except (OSError, RuntimeError):
                time.sleep(0.01)
            else:
                return
        raise RuntimeError(f"no answer within {_START_S} s; see {self._log.name}")
