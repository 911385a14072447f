"""How much a request may bring: a limit on every body but a file's, and the reader of those that no model reads."""

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import TooLargeError
from server.faults import answer

MOST_BYTES = 64 * 2**20


def install(app: FastAPI) -> None:
    app.add_middleware(Limit)


async def read(request: Request, most: int, *, what: str, todo: str | None = None) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise TooLargeError(f"{what} may have {most:,} bytes.", where="body", todo=todo)
    return bytes(body)


class Limit:
    """FastAPI reads JSON into memory, as long as it is. A file goes to the store piece by piece, so it may be long."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_upload(scope):
            await self.app(scope, receive, send)
        elif _said_length(scope) > self.most:
            await answer(self._error())(scope, receive, send)
        else:
            await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A body may come without a word of its length."""
        seen, is_answered = 0, False

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise self._error()
            return message

        async def send_or_refuse(message: Message) -> None:
            """What the application makes of the error above is not what the sender should hear."""
            nonlocal is_answered
            if seen <= self.most:
                await send(message)
            elif not is_answered:
                is_answered = True
                await answer(self._error())(scope, receive, send)

        await self.app(scope, receive_counted, send_or_refuse)

    def _error(self) -> TooLargeError:
        return TooLargeError(f"A request may have {self.most:,} bytes.", where="body", todo="Send it in parts.")


def _is_upload(scope: Scope) -> bool:
    return bool(scope["method"] == "PUT" and "/artifacts/" in scope["path"])


def _said_length(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isdecimal() else 0
