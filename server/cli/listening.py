"""Opening the server's port. `up` does it for the server, so that nobody is refused while the server starts again."""

import errno
import socket

from dreamer_core.errors import UsageError

_BACKLOG = 2048
_ANY = {"0.0.0.0", "::", ""}  # noqa: S104 - what is compared with, not what is listened on


class PortTakenError(UsageError):
    """Somebody else listens there."""


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Where the protocol is not named, asyncio leaves Nagle's algorithm on: every answer then waits for 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} of {host} is taken, perhaps by another Dreamgate; choose another with --port"
            ) from None
        raise UsageError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return opened


def address_of(opened: socket.socket, *, name: str | None = None) -> str:
    """As a person would type it. Who listens everywhere is reached under the name of the machine."""
    host, port = opened.getsockname()[:2]
    host = name or (socket.gethostname() if host in _ANY else host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
