"""The processes that `up` starts: each in a session of its own, its words in a log, started again when it dies."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOG_BYTES = 10 * 2**20
_QUIET_S = 60.0  # after so long without dying, earlier deaths are forgotten
_LONGEST_WAIT_S = 30.0


class Child:
    """Must be started from the first thread: on Linux it is told to stop when that thread is gone, however it went."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.name, self.command, self.log = name, list(command), log
        self._environ, self._keep_open = environ, keep_open
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths: list[float] = []
        self._again_at: float | None = None
        _rotate(log)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._again_at = None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                self.command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._keep_open,
                start_new_session=True,  # Ctrl-C in the terminal is for `up`, which stops them in order
                preexec_fn=_follow_parent(),  # safe: this process has one thread
            )

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def obituary(self) -> str | None:
        """None while it lives."""
        if self._process is None or not self.has_ended:
            return None
        return f"the {self.name} ended ({_ending(self._process.returncode)}). The end of {self.log}:\n{self._tail()}"

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start it again if it died; sooner after the first time than after the fifth."""
        if self._process is None or not self.has_ended:
            return
        now = time.monotonic()
        if self._again_at is None:
            self._deaths = [at for at in self._deaths if now - at < _QUIET_S] + [now]
            wait = min(0.5 * 2 ** (len(self._deaths) - 1), _LONGEST_WAIT_S)
            self._again_at = now + wait
            how = _ending(self._process.returncode)
            say(f"the {self.name} ended ({how}, see {self.log}); starting it again in {wait:g} s")
        if now >= self._again_at:
            self.start()

    def stop(self) -> None:
        if self._process is not None and not self.has_ended:
            self._process.terminate()

    def kill(self) -> None:
        if self._process is not None and not self.has_ended:
            self._process.kill()
            self._process.wait()

    def _tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _rotate(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _follow_parent() -> Callable[[], None] | None:
    """What the child does before it becomes its command. Elsewhere than on Linux a killed `up` leaves its children."""
    if sys.platform != "linux":
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def follow() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before we could follow
            os._exit(128 + signal.SIGTERM)

    return follow
