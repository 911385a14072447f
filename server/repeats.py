"""POSTs that make something may come twice: the same Idempotency-Key gets the same answer, and makes nothing more."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import delete
from sqlmodel import Session, col

from dreamer_core.metrics.jsonsafe import dumps
from server.absent import insert_if_absent
from server.errors import ConflictError
from server.tables import RepeatedRequest

KEPT_S = 24 * 3600

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Any word of your own. Sent again with the same request, it gets the same answer and does nothing.",
    ),
]


Made = dict[str, Any]  # what was answered, as JSON


@dataclass(frozen=True)
class Answer:
    body: Made
    status: int
    is_replayed: bool

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, {"Idempotency-Replayed": "true"} if self.is_replayed else {})


class Once:
    """A dependency of a route: whether this request was answered before."""

    def __init__(self, request: Request, key: Key = None) -> None:
        self._key, self._path = key, quote(request.url.path)[:255]

    def answer(
        self,
        session: Session,
        now: float,
        body: BaseModel | None,
        make: Callable[[], BaseModel],
        status: int = 201,
        lasts: Callable[[Made], bool] = lambda _: True,
    ) -> Answer:
        """What `make` gives, in this transaction; or what it gave the first time, as long as that `lasts`."""
        if self._key is None:
            return Answer(make().model_dump(mode="json"), status, is_replayed=False)
        row = RepeatedRequest(
            key=self._key, path=self._path, body_sha256=_digest(body), status=status, answer={}, created_at=now
        )
        is_first = insert_if_absent(session, row)
        # Held, so that of two who find an answer that lasts no longer, the second one finds the new one.
        kept = session.get_one(RepeatedRequest, (row.key, row.path), with_for_update=True)
        _check_same(kept, row)
        if not is_first and lasts(kept.answer):
            return Answer(kept.answer, kept.status, is_replayed=True)
        kept.answer, kept.created_at = make().model_dump(mode="json"), now
        if is_first and not lasts(kept.answer):
            session.delete(kept)
        return Answer(kept.answer, status, is_replayed=False)


OnceDep = Annotated[Once, Depends()]


def _check_same(kept: RepeatedRequest, row: RepeatedRequest) -> None:
    if kept.body_sha256 != row.body_sha256:
        raise ConflictError(
            "This Idempotency-Key came before, with another request.",
            where="Idempotency-Key",
            seen=row.key,
            todo="Take a new key for a new request.",
        )


def forget(session: Session, now: float) -> None:
    """Nobody repeats a request after a day."""
    session.connection().execute(delete(RepeatedRequest).where(col(RepeatedRequest.created_at) < now - KEPT_S))


def _digest(body: BaseModel | None) -> str:
    said = None if body is None else body.model_dump(mode="json", exclude_unset=True)
    return hashlib.sha256(dumps(_sorted(said)).encode()).hexdigest()


def _sorted(value: Any) -> Any:
    """The order of keys says nothing."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
