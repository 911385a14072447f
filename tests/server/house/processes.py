"""Real commands as children of a test: started, asked, and ended with everything that they started."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import psutil


def environment(**told: str) -> dict[str, str]:
    """Ours, without what might be set for a Dreamgate of the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DREAMGATE_")}
    return {**kept, "OMP_NUM_THREADS": "1", **told}


def wait_for(what: Callable[[], Any], patience_s: float = 60.0) -> Any:
    """The first answer that is true."""
    until = time.monotonic() + patience_s
    while not (found := what()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return found


class Command:
    """`dreamgate WORDS`, in a session of its own. Whatever it started is gone when the block is left."""

    def __init__(self, *words: str, folder: Path, **told: str) -> None:
        self._errors = folder / "stderr.txt"
        with self._errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dreamer_core.cli.main", *words],
                cwd=folder,
                env=environment(**told),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.descendants():
            process.kill()
        self.process.kill()
        self.process.communicate()

    def descendants(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def child(self, words: str) -> psutil.Process | None:
        """The one of its own children whose command line holds the words."""
        children = psutil.Process(self.process.pid).children()
        return next((child for child in children if words in _command_line(child)), None)

    def first_line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.complaints()
        return line

    def complaints(self) -> str:
        return self._errors.read_text()

    def stop(self, number: int = signal.SIGINT, patience_s: float = 60.0) -> int:
        self.process.send_signal(number)
        return self.process.wait(patience_s)


def get(address: str, token: str = "") -> Any:
    """What is answered, as JSON; None where nobody answers or it is no success."""
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return None


def post(address: str, token: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _command_line(process: psutil.Process) -> str:
    """Nothing of one that has ended meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is one too
        return ""
