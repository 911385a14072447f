"""What a worker tells the server about itself when it registers."""

import fcntl
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import psutil

from dreamer_core.errors import UsageError
from dreamer_core.runs.facts import cpu_name, find_source
from dreamer_core.version import __version__

_PROBE_S = 120


def describe_machine() -> dict[str, Any]:
    """Versions, processors, devices and testbed. Raises UsageError where torch cannot be loaded."""
    return {
        "version": __version__,
        "commit": find_source().commit,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": cores(),
        "memory_mib": psutil.virtual_memory().total // 2**20,
        **_probe(),
    }


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def device_names(count: int, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What CUDA_VISIBLE_DEVICES calls the devices that this worker may use."""
    given = [name.strip() for name in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return tuple(given[:count]) if given else tuple(str(index) for index in range(count))


def take_name(folder: Path, wanted: str | None) -> tuple[str, TextIO]:
    """A name that no other worker on this machine has, and what holds it while it is open.

    The host's own, or with a number: the same again after a restart, and the server knows the worker by it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()[:110] or "worker"
    for name in [wanted] if wanted else [host, *(f"{host}-{number}" for number in range(2, 1000))]:
        held = (folder / f"{name}.lock").open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held.close()
            continue
        return name, held
    raise UsageError(f"a worker with the name {wanted!r} runs here already; stop it, or choose another --name")


def _probe() -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "worker.probe"]
    try:
        done = subprocess.run(  # noqa: S603 - ours; a Ctrl-C is for this process
            command, capture_output=True, text=True, timeout=_PROBE_S, check=False, start_new_session=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"it could not be found out whether torch can be loaded here: {error}") from error
    try:
        return dict(json.loads(done.stdout))
    except (ValueError, TypeError):
        problem = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UsageError(
            f"torch cannot be loaded here, so no job could run: {problem}; pip install 'dreamgate[worker]'"
        ) from None
