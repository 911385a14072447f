"""A form as a browser sends it, read here: for urlencoded text alone, FastAPI's parser would be one more package."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from server import bodies
from server.errors import InvalidError

_MOST_BYTES = 256 * 1024
_MOST_FIELDS = 100


async def _read(request: Request) -> dict[str, str]:
    body = await bodies.read(request, _MOST_BYTES, what="A form")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise InvalidError("This is no form.") from None


SentForm = Annotated[dict[str, str], Depends(_read)]
