"""Server-sent events: lines of text become events, each with the cursor from which one can go on after it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dreamer_core.metrics.jsonsafe import loads
from dreamer_core.remote.errors import Unreadable


@dataclass(frozen=True, kw_only=True)
class Live:
    """`kind`: run, metrics, event, log, rewind or end, with the `data` that the API's documentation says; or open."""

    kind: str
    data: Any
    cursor: str | None


def parse(lines: Iterable[str]) -> Iterator[Live]:
    """One event for each block of lines that an empty line ends; a block that is cut off is none."""
    kind, data, cursor = "message", list[str](), None
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Live(kind=kind, data=_decoded("\n".join(data)), cursor=cursor)
            kind, data = "message", []
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            cursor = value


def _decoded(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        raise Unreadable(f"The server sent an event that is not JSON: {text[:80]!r}.") from None
