"""The server's clock, in seconds since 1970 (UTC). Leases and ages go by it alone: a worker's may be wrong."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import overload

Clock = Callable[[], float]

now: Clock = time.time


@overload
def iso(at: float) -> str: ...
@overload
def iso(at: None) -> None: ...
def iso(at: float | None) -> str | None:
    """As every answer of the API writes a moment; rows keep the number."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
