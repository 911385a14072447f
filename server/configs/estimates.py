"""The dry run, asked of the core in a process of its own: it needs torch, which the server itself never loads."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from dreamer_core.errors import USAGE

TIMEOUT_S = 60
_COMMAND = (sys.executable, "-P", "-m", "dreamer_core.cli.main", "train", "--dry-run", "--json", "--config")
_REMEMBERED = 64
_IN_LINE = 4  # with the one that is at work; who waits keeps a thread from all other requests


class Estimate(NamedTuple):
    """Either what the dry run says, or why there is none."""

    found: dict[str, Any] | None
    problem: str | None


_TOO_MANY = Estimate(None, "Too many estimates are asked for at once; try again in a minute.")


class Estimates:
    """One at a time, since each takes seconds and a few hundred MiB of memory; what was asked lately is remembered."""

    def __init__(self, run: Callable[[Path], Estimate] | None = None) -> None:
        self._run = run or _dry_run
        self._turn = threading.Lock()
        self._line = threading.BoundedSemaphore(_IN_LINE)
        self._known: OrderedDict[str, Estimate] = OrderedDict()

    def of(self, config: Mapping[str, Any]) -> Estimate:
        if not self._line.acquire(blocking=False):
            return _TOO_MANY
        try:
            return self._in_turn(config)
        finally:
            self._line.release()

    def _in_turn(self, config: Mapping[str, Any]) -> Estimate:
        key = json.dumps(config, sort_keys=True)
        if not self._turn.acquire(timeout=TIMEOUT_S):
            return _TOO_MANY
        try:
            if key not in self._known:
                found = self._ask(config)
                if found.found is None:
                    return found
                self._remember(key, found)
            self._known.move_to_end(key)
            return self._known[key]
        finally:
            self._turn.release()

    def _ask(self, config: Mapping[str, Any]) -> Estimate:
        with tempfile.TemporaryDirectory(prefix="dreamgate-estimate-") as folder:
            file = Path(folder) / "config.yaml"
            file.write_text(json.dumps(config))  # JSON is YAML
            return self._run(file)

    def _remember(self, key: str, found: Estimate) -> None:
        self._known[key] = found
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _dry_run(file: Path) -> Estimate:
    if find_spec("torch") is None:
        return Estimate(None, "An estimate needs torch, which is not installed where this server runs.")
    try:
        done = subprocess.run(  # noqa: S603 - our own command; the config is in a file
            [*_COMMAND, str(file)],
            cwd=file.parent,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Estimate(None, f"The dry run took longer than {TIMEOUT_S} s and was ended.")
    return _read(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def _read(code: int, output: bytes, words: str) -> Estimate:
    if code == 0:
        return Estimate(json.loads(output.splitlines()[-1]), None)
    last = words.strip().rpartition("\n")[2].removeprefix("dreamgate: ")
    return Estimate(None, last if code == USAGE else f"The dry run ended with {code}: {last}")
