"""What a request can do wrong, and the one shape in which every face of the server says it.

{"error": {"code": "not_found", "message": "There is no run abc.", "where": "run_id", "seen": "abc", "todo": "..."}}
`where`, `seen` and `todo` are null where there is nothing to say.
"""

import math
from typing import Any


class ApiError(Exception):
    """Base: an answer with a status, a code for programs and a sentence for people."""

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, where: str | None = None, seen: Any = None, todo: str | None = None) -> None:
        super().__init__(message)
        self.message, self.where, self.seen, self.todo = message, where, seen, todo

    def body(self) -> dict[str, Any]:
        return {
            "error": {
                "code": self.code,
                "message": _sayable(self.message),
                "where": None if self.where is None else _sayable(self.where),
                "seen": _shown(self.seen),
                "todo": self.todo,
            }
        }


def _shown(seen: Any) -> Any:
    if seen is None or isinstance(seen, int) or (isinstance(seen, float) and math.isfinite(seen)):
        return seen
    return _sayable(str(seen)[:200])


def _sayable(text: str) -> str:
    """What was sent may be what is wrong: half a character, which no answer can hold, is shown by its number."""
    return text.encode(errors="backslashreplace").decode()


class InvalidError(ApiError):
    """A value that is not what it must be."""

    status, code = 422, "invalid"


class NotFoundError(ApiError):
    status, code = 404, "not_found"

    @classmethod
    def of(cls, thing: str, name: str) -> "NotFoundError":
        return cls(f"There is no {thing} {name[:60]!r}.", where=thing, seen=name)


class ConflictError(ApiError):
    """It is well said, but the state of things does not allow it."""

    status, code = 409, "conflict"


class LeaseLostError(ConflictError):
    """The attempt that speaks is over: another one, or nobody, has the job now. Its worker must end it and drop it."""

    code = "lease_lost"


class GapError(ConflictError):
    """What was sent begins after what is here ends. `seen` is where it began; `expected` where it must."""

    code = "gap"

    def __init__(self, message: str, *, expected: int, seen: int) -> None:
        super().__init__(message, where="offset", seen=seen, todo=f"Send from {expected} on.")
        self.expected = expected

    def body(self) -> dict[str, Any]:
        body = super().body()
        body["error"]["expected"] = self.expected
        return body


class TooLargeError(ApiError):
    status, code = 413, "too_large"


class UnauthorizedError(ApiError):
    status, code = 401, "unauthorized"


class ForbiddenError(ApiError):
    status, code = 403, "forbidden"


class UnavailableError(ApiError):
    """Something that the server needs is away; trying again later is right (Retry-After is set)."""

    status, code = 503, "unavailable"
