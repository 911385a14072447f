"""A form as a browser sends it, read here: for urlencoded text alone, FastAPI's parser would be one more package."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from server.errors import InvalidError, TooLargeError

_MOST_BYTES = 256 * 1024
_MOST_FIELDS = 100


async def _read(request: Request) -> dict[str, str]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise TooLargeError(f"A form may have {_MOST_BYTES:,} bytes.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise InvalidError("This is no form.") from None


SentForm = Annotated[dict[str, str], Depends(_read)]
