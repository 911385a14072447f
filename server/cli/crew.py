"""Broker, server and worker: started in this order, looked after, and stopped so that no job loses its work."""

import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from server.cli.broker import EmbeddedBroker
from server.cli.children import Child
from server.cli.ready import NotReadyError, wait_until_ready

_LOOK_S = 0.1
_BROKER_S, _SERVER_S = 10.0, 20.0
_INSIST_S = 3.0
_WORKER_S = 30.0  # more than what its jobs get to save themselves: it has to report, too

Say = Callable[[str], None]


@dataclass
class Crew:
    data: Path
    environ: dict[str, str]  # what all of them are told
    address: str  # of the server, as the worker reaches it
    opened: socket.socket  # its port
    stays_open: int  # a file that server and broker keep open while they live
    embedded: EmbeddedBroker | None
    children: list[Child] = field(default_factory=list)

    def open(self, is_stopped: Callable[[], bool], say: Say) -> None:
        """Broker and server. Returns when the server answers, raises NotReadyError when it will not."""
        if self.embedded is not None:
            self._open_broker(self.embedded, say)
        fd = self.opened.fileno()
        server = self._start("server", _dreamgate("serve", "--fd", str(fd)), keep_open=(fd, self.stays_open))
        wait_until_ready(self.address, lambda: "stopped while starting" if is_stopped() else server.obituary())

    def open_worker(self, token: str) -> None:
        self.environ |= {"DREAMGATE_SERVER": self.address, "DREAMGATE_TOKEN": token}
        self._start("worker", _dreamgate("worker"))

    def look_after(self, say: Say) -> None:
        for child in self.children:
            child.look_after(say)

    def close(self, is_hurried: Callable[[], bool], grace_s: float) -> bool:
        """Last come, first gone: the worker's jobs save themselves and say so to the server, and the server needs its
        broker. False where somebody had to be killed."""
        patience = {"worker": grace_s + _WORKER_S, "server": _SERVER_S, "broker": _BROKER_S}
        clean = True
        for child in reversed(self.children):
            child.stop()
            _wait(lambda child=child: child.has_ended or is_hurried(), patience[child.name])  # type: ignore[misc]
            clean = clean and child.has_ended
            self._insist(child)
            child.kill()
        if self.embedded is not None:
            self.embedded.clean_up()
        return clean

    def _insist(self, child: Child) -> None:
        """A worker that is told twice kills its jobs with all that they started; killed itself, it would leave them."""
        until = time.monotonic() + _INSIST_S
        while not child.has_ended and time.monotonic() < until:
            child.stop()
            _wait(lambda: child.has_ended, _INSIST_S / 6)

    def _open_broker(self, embedded: EmbeddedBroker, say: Say) -> None:
        embedded.socket.unlink(missing_ok=True)
        broker = self._start("broker", embedded.command, keep_open=[self.stays_open])
        _wait(lambda: embedded.socket.exists() or broker.has_ended, _BROKER_S)
        if broker.has_ended and embedded.set_aside():
            say(f"the broker cannot read what it had kept, which nobody needs: it begins anew (see {broker.log})")
            broker.start()
            _wait(lambda: embedded.socket.exists() or broker.has_ended, _BROKER_S)
        if broker.has_ended:
            raise NotReadyError(broker.obituary() or "the broker ended")
        self.environ["DREAMGATE_BROKER_URL"] = embedded.url

    def _start(self, name: str, command: Sequence[str], keep_open: Sequence[int] = ()) -> Child:
        child = Child(
            name, command, log=self.data / "logs" / f"{name}.log", environ=dict(self.environ), keep_open=keep_open
        )
        self.children.append(child)
        child.start()
        return child


def _dreamgate(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "dreamer_core.cli.main", *words]


def _wait(is_over: Callable[[], bool], patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while not is_over() and time.monotonic() < until:
        time.sleep(_LOOK_S)
