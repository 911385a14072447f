"""Answers that a poller may have already: an ETag, and 304 where it names the same."""

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel


def answer(request: Request, resource: BaseModel, tag: str | None = None) -> Response:
    """The resource as JSON. `tag` is its version; without one, the hash of what is answered."""
    body = resource.model_dump_json().encode()
    etag = f'"{tag or hashlib.sha256(body).hexdigest()[:16]}"'
    if names(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(body, media_type="application/json", headers={"ETag": etag})


def names(header: str, etag: str) -> bool:
    """Whether an If-Match or If-None-Match says this one. Weak tags count: a proxy that compresses makes them weak."""
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))
