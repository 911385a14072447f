"""What every group of calls of the client stands on: the transport, and lists that come in pages."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from dreamer_core.remote.errors import Unreadable
from dreamer_core.remote.reading import read_all
from dreamer_core.remote.shapes import Page
from dreamer_core.remote.transport import Transport

T = TypeVar("T")

_PAGE = 200  # the most that the server gives at once


class Calls:
    def __init__(self, http: Transport) -> None:
        self._http = http

    def _page(self, kind: type[T], path: str, params: Mapping[str, Any]) -> Page[T]:
        found = self._http.json("GET", path, params=params)
        return Page(items=read_all(kind, found), next=found.get("next"))

    def _every(self, kind: type[T], path: str, params: Mapping[str, Any]) -> Iterator[T]:
        """All of a list, page after page, as they are asked for."""
        cursor: str | None = None
        while True:
            page = self._page(kind, path, {**params, "limit": _PAGE, "cursor": cursor})
            yield from page.items
            cursor = page.next
            if cursor is None:
                return


def present(body: Mapping[str, Any]) -> dict[str, Any]:
    """Without what nobody gave."""
    return {key: value for key, value in body.items() if value is not None}


def total(found: Any, name: str) -> int:
    """How many the server has now, from the answer to an append."""
    count = found.get(name) if isinstance(found, dict) else None
    if not isinstance(count, int):
        raise Unreadable(f"The server's answer to an append does not say how many {name} it has.")
    return count
