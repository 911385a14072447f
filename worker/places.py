"""Where a worker keeps things: the runs, one folder each, and beside them its own papers about them."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.errors import UsageError
from dreamer_core.runs.folder import RunFolder

LEAST_FREE_MIB = 64  # with less, a job could not even say what it died of

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Desk:
    """The worker's papers about one attempt at a job. Gone when it is over."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def said(self) -> Path:
        """The child's standard output: JSON lines. A file, not a pipe: nobody need be there to read it."""
        return self.path / "said.jsonl"

    @property
    def log(self) -> Path:
        """What people read: the child's standard error, and what it said, in words."""
        return self.path / "log.txt"

    @property
    def checkpoint(self) -> Path:
        """A checkpoint of another run, fetched for this one."""
        return self.path / "checkpoint"

    @property
    def arriving(self) -> Path:
        """A run's folder while it comes from the server."""
        return self.path / "arriving"


@dataclass(frozen=True)
class Places:
    runs: Path

    def run(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs / _checked(run_id))

    def desk(self, run_id: str, attempt: int) -> Desk:
        return Desk(self._jobs / f"{_checked(run_id)}.{attempt}")

    def clear_desks(self, run_id: str, attempt: int) -> None:
        """Of this attempt and those before it, which are over. A later one may be under way here already."""
        for path in self._jobs.glob(f"{_checked(run_id)}.*"):
            number = path.name.rpartition(".")[2]
            if number.isdecimal() and int(number) <= attempt:
                shutil.rmtree(path, ignore_errors=True)

    @property
    def source(self) -> Path:
        return self._own / "source"

    @property
    def names(self) -> Path:
        return self._own / "names"

    def problem(self) -> str | None:
        """Why no job can be run here now, in a sentence; None if it can."""
        probe = self._own / f"probe-{os.getpid()}"
        try:
            probe.parent.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
            free = shutil.disk_usage(self.runs).free // 2**20
        except OSError as error:
            return f"nothing can be written into {self.runs}: {error.strerror or error}"
        return None if free >= LEAST_FREE_MIB else f"the disk of {self.runs} has only {free} MiB left"

    @property
    def _jobs(self) -> Path:
        return self._own / "jobs"

    @property
    def _own(self) -> Path:
        return self.runs / ".worker"  # no run's id begins with a dot


def _checked(run_id: str) -> str:
    """Ids become paths, so one that the server could not have made goes no further."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(f"{run_id!r} cannot be the id of a run")
    return run_id
