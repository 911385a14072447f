"""What can go wrong between a program and the server.

RemoteError                    2 when the request was wrong, 4 when the server was
├── Unreachable                   nobody answered, or only "later"; trying again is right
├── Unauthorized                  the token is missing or wrong
├── NotFound
├── Conflict                      well said, but the state of things does not allow it
│   ├── LeaseLost                 this attempt is over: end it and drop what it made
│   └── Gap                       what was sent begins after what the server has ends
└── Unreadable                    the answer is not what this version understands
Undelivered                    4  records that a sink could not bring to the server
"""

from collections.abc import Mapping
from typing import Any

from dreamer_core.errors import BROKE, USAGE, DreamgateError
from dreamer_core.remote.address import is_here, token_file


class RemoteError(DreamgateError):
    """The server, or the way to it, said no. `code` is for programs, the message for people."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int | None = None,
        *,
        where: str | None = None,
        seen: Any = None,
        todo: str | None = None,
    ) -> None:
        super().__init__(f"{message} {todo}" if todo else message)
        self.code, self.message, self.status = code, message, status
        self.where, self.seen, self.todo = where, seen, todo
        self.exit_code = USAGE if status is not None and 400 <= status < 500 else BROKE


class Unreachable(RemoteError):
    """Nobody answered, or a server that lacks something it needs (502, 503, 504)."""

    def __init__(self, message: str, status: int | None = None, *, retry_after_s: float = 0.0) -> None:
        super().__init__("unreachable" if status is None else "unavailable", message, status)
        self.retry_after_s = retry_after_s


class Unauthorized(RemoteError):
    """The token is missing or wrong."""


class NotFound(RemoteError):
    """There is no such thing, or no longer."""


class Conflict(RemoteError):
    """The state of things does not allow it."""


class LeaseLost(Conflict):
    """Another attempt, or nobody, has the job now."""


class Gap(Conflict):
    """`expected` is the offset from which the server wants to be sent."""

    def __init__(self, message: str, *, expected: int, seen: Any = None) -> None:
        super().__init__("gap", message, 409, where="offset", seen=seen, todo=f"Send from {expected} on.")
        self.expected = expected


class Unreadable(RemoteError):
    """The answer is not what this version understands."""

    def __init__(self, message: str) -> None:
        super().__init__("unreadable", message, todo="Do the client and the server have the same version?")


class Undelivered(DreamgateError):
    """Records that did not reach the server: how many, of which run, and why."""


def error_of(url: str, status: int, body: Any, retry_after: str | None = None) -> RemoteError:
    """The error that an answer stands for. `body` is the decoded JSON, None where there was none (a proxy's page)."""
    found = body.get("error") if isinstance(body, Mapping) else None
    said: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    message = str(said.get("message") or f"{url} answered {status}.")
    if status in (502, 503, 504):
        return Unreachable(_sentence(message, said), status, retry_after_s=_seconds(retry_after))
    if status == 401:
        return Unauthorized("unauthorized", f"{url} refuses the token.", status, todo=_TOKEN)
    code = str(said.get("code") or f"http_{status}")
    if code == "gap" and isinstance(said.get("expected"), int):
        return Gap(message, expected=said["expected"], seen=said.get("seen"))
    kind = {"lease_lost": LeaseLost, "not_found": NotFound}.get(code, Conflict if status == 409 else RemoteError)
    return kind(code, message, status, where=said.get("where"), seen=said.get("seen"), todo=said.get("todo"))


def no_token(url: str) -> RemoteError:
    """Where one was looked for, and not found."""
    looked = "DREAMGATE_TOKEN is not set"
    if is_here(url):
        looked += f", and there is no {token_file()} (DREAMGATE_DATA names the server's data folder)"
    return Unauthorized("unauthorized", f"{url} wants a token, and none was found: {looked}.", 401, todo=_TOKEN)


_TOKEN = "Set DREAMGATE_TOKEN to the server's own: it is in the file `token` of its data folder."  # noqa: S105


def _sentence(message: str, said: Mapping[str, Any]) -> str:
    return f"{message} {said['todo']}" if said.get("todo") else message


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:  # a date: as good as no answer
        return 0.0
