"""A process of ours with all that it starts: made in a group of its own, asked to stop, and killed whole."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from worker import leash
from worker.command import launches

_LEASH = str(Path(leash.__file__).absolute())


class Child:
    """Must be made by a thread that lives at least as long: the system sends SIGTERM when that thread ends."""

    def __init__(
        self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdout: Path, stderr: Path
    ) -> None:
        self._is_launcher = launches(command)
        with stdout.open("wb") as out, stderr.open("ab") as err:
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [sys.executable, "-I", "-S", _LEASH, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._reaping = threading.RLock()  # held while its number is used: it must not have become another's

    def poll(self) -> int | None:
        """Its exit code, -9 for signal 9; None while it runs. Nothing of its group outlives it."""
        with self._reaping:
            if self._process.returncode is None and self._has_ended():
                # Before its number is free again: until then it is the number of the group, and of nothing else.
                self._kill_group()
                self._process.wait()
            return self._process.returncode

    def stop(self) -> None:
        """Ask once: to a training run a second SIGTERM means `at once`. What it started is its own to stop."""
        if self.poll() is None:
            for pid in self._who_listens():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        """It, its group, and those of its descendants that made groups of their own, as torchrun's ranks do."""
        with self._reaping:
            if self.poll() is not None:
                return
            for process in self._descendants():
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._kill_group()

    def _who_listens(self) -> list[int]:
        """torchrun, asked to stop, would give its ranks 30 seconds; a large replay needs longer to be saved."""
        ranks = [process.pid for process in self._descendants(recursive=False)] if self._is_launcher else []
        return ranks or [self.pid]

    def _has_ended(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def _descendants(self, *, recursive: bool = True) -> list[psutil.Process]:
        try:
            return psutil.Process(self.pid).children(recursive=recursive)
        except psutil.Error:
            return []

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
