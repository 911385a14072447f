"""What a job uses: memory and CPU of its whole process tree, the CUDA devices it was given, and its folder's disk."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

Usage = dict[str, float]

_SLOW_S = 10.0  # how often the disk is walked and nvidia-smi is asked
_MIB = 2**20


class Meter:
    """Keeps the largest values that it saw."""

    def __init__(self, pid: int, folder: Path, gpus: Sequence[str]) -> None:
        self.peak: Usage = {}
        self._pid, self._folder, self._gpus = pid, folder, gpus
        self._known: dict[int, psutil.Process] = {}  # kept: a process's CPU share is since it was last asked
        self._slow: Usage = {}
        self._slow_at = -_SLOW_S

    def sample(self) -> Usage:
        if time.monotonic() - self._slow_at >= _SLOW_S:
            self._slow, self._slow_at = {"disk_mib": disk_mib(self._folder), **gpu_use(self._gpus)}, time.monotonic()
        found = self._processes() | self._slow
        for name in ("rss_mib", "gpu_mib", "disk_mib"):
            if name in found:
                self.peak[name] = max(found[name], self.peak.get(name, 0.0))
        return found

    def _processes(self) -> Usage:
        rss = cpu = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.Error):  # it may end between two questions
                rss += process.memory_info().rss
                cpu += process.cpu_percent()
        return {"rss_mib": round(rss / _MIB, 1), "cpu_percent": round(cpu, 1)}

    def _tree(self) -> list[psutil.Process]:
        try:
            top = self._known.get(self._pid) or psutil.Process(self._pid)
            found = [top, *top.children(recursive=True)]
        except psutil.Error:
            return []
        self._known = {process.pid: self._known.get(process.pid, process) for process in found}
        return list(self._known.values())


def exceeded(limits: Mapping[str, float | None], usage: Mapping[str, float], seconds: float) -> str | None:
    """The first limit that is passed, as a sentence; None where all are kept."""
    words = {
        "rss_mib": "It used {:,.0f} MiB of memory; its limit is {:,.0f}.",
        "gpu_mib": "It used {:,.0f} MiB of GPU memory; its limit is {:,.0f}.",
        "disk_mib": "Its folder took {:,.0f} MiB of disk; its limit is {:,.0f}.",
        "seconds": "It ran for {:,.0f} s; its limit is {:,.0f}.",
    }
    for name, sentence in words.items():
        limit, used = limits.get(name), {**usage, "seconds": seconds}.get(name)
        if limit is not None and used is not None and used > limit:
            return sentence.format(used, limit)
    return None


def disk_mib(folder: Path) -> float:
    """Checkpoints come and go meanwhile: of what is gone there is nothing to count."""
    size = 0
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(OSError):
                size += os.lstat(f"{place}/{name}").st_size
    return round(size / _MIB, 1)


def gpu_use(gpus: Sequence[str]) -> Usage:
    """Of whole devices: a job has the ones it was given to itself. Nothing where nvidia-smi is not there."""
    tool = shutil.which("nvidia-smi") if gpus else None
    if tool is None:
        return {}
    question = ["--query-gpu=memory.used,utilization.gpu", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, devices from our own environment
            [tool, f"--id={','.join(gpus)}", *question], capture_output=True, text=True, timeout=10, check=True
        )
        rows = [[float(cell) for cell in line.split(",")] for line in done.stdout.splitlines()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    if not rows:
        return {}
    return {"gpu_mib": sum(row[0] for row in rows), "gpu_percent": round(sum(row[1] for row in rows) / len(rows), 1)}
