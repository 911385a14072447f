"""Running the real command in a real process, and reading what it wrote."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from dreamer_core.metrics.sink import Record, read_records

# What a clock says, or where it was said: not part of the numbers.
NOT_NUMBERS = {
    "wall_time_s", "cpu_time_s", "sps", "train_sps", "actor_ms", "learner_ms", "total_ms", "overlap_eff", "run_id",
    "trace_id",
}  # fmt: skip


def dreamgate(*words: str, check: int | None = 0, timeout_s: float = 300) -> "subprocess.CompletedProcess[str]":
    """`dreamgate WORDS`, to its end."""
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=timeout_s, env=environment())
    if check is not None:
        assert done.returncode == check, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "dreamer_core.cli.main", *words]


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def kill_when(words: list[str], is_time: "Any", *, sign: signal.Signals) -> int:
    """Start a command and send it `sign` once `is_time()` is true. Gives its exit code."""
    process = subprocess.Popen(command(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    deadline = time.monotonic() + 120
    while not is_time():
        assert process.poll() is None, f"the run ended by itself with {process.returncode}"
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)
    process.send_signal(sign)
    return process.wait(timeout=60)


def only_run(root: Path) -> Path:
    [run] = [path for path in root.iterdir() if (path / "manifest.json").exists()]
    return run


def numbers(run: Path) -> list[dict[str, Any]]:
    """metrics.jsonl without what a clock says. NaN would not equal itself, so values are compared as text."""
    return [
        {key: repr(value) for key, value in record.items() if key not in NOT_NUMBERS}
        for record in read_records(run / "metrics.jsonl")
    ]


def manifest(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "manifest.json").read_text()))


def values(record: Record, *names: str) -> list[float]:
    """Those of `names` that the record has, as numbers."""
    return [float(record[name]) for name in names if name in record]
