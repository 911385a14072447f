"""Lists in pages: a cursor says where the next page begins, by value, so that rows that come and go move nothing."""

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from dreamer_core.metrics.jsonsafe import dumps, loads
from server.errors import InvalidError
from server.jsonvalues import Text, check

T = TypeVar("T")

LIMIT, MOST = 50, 200

PageSize = Annotated[int, Field(ge=1, le=MOST, description="how many at most")]
# As long as the longest name or key that it may hold, at four bytes a character, and written as base64.
PageCursor = Annotated[Text, Field(max_length=2000, description="`next` of the page before")]
Limit = Annotated[PageSize, Query()]
Cursor = Annotated[PageCursor | None, Query()]


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: str | None = Field(description="the cursor of the next page; null where there is none")


def encode(*values: Any) -> str:
    return base64.urlsafe_b64encode(dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type | tuple[type, ...]) -> list[Any]:
    """The values of `encode`, each of its kind. Whatever else comes is a cursor that somebody made up."""
    try:
        values = loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        check(values)
    except (ValueError, binascii.Error, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != len(kinds) or not all(map(_is, values, kinds)):
        raise InvalidError("This is not a cursor of this list.", where="cursor", seen=cursor, todo="Begin without one.")
    return values


def _is(value: Any, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def newest(session: Session, query: Any, table: Any, limit: int, cursor: str | None) -> tuple[list[Any], str | None]:
    """A page of `query` over `table`, by `created_at` and `id`, the newest first; and the cursor of the next page."""
    if cursor is not None:
        at, last = decode(cursor, (int, float), str)
        query = query.where((table.created_at < at) | ((table.created_at == at) & (table.id < last)))
    rows = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    found = list(session.exec(rows))
    after = encode(found[limit - 1].created_at, found[limit - 1].id) if len(found) > limit else None
    return found[:limit], after
