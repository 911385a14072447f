"""Who may come in: programs by token, browsers by session. Everybody else sees the form, /health and the static files.

Two things that a browser can be made to do against its owner are refused here: requests that another site wrote
(CSRF), and requests under a name that is not ours (DNS rebinding). Plain ASGI, so that streams stay streams.
"""

import hmac
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import login
from server.errors import ApiError, ForbiddenError, UnauthorizedError
from server.faults import answer
from server.house import House
from server.keys import read_token

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OPEN = {"/health", "/login", "/logout", "/favicon.ico"}

# No script, style or picture but our own files: nothing inline, no eval, no CDN. A style that must be computed is set
# by a script through the element (CSSOM), which this allows.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class UntrustedHostError(ApiError):
    status, code = 400, "untrusted_host"


def install(app: FastAPI, house: House) -> None:
    login.install(app)
    app.add_middleware(Access, house=house)
    _describe(app)


class Access:
    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app, self.house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", [])
                names = {name for name, _ in given}
                message["headers"] = [*given, *(header for header in _RAW_HEADERS if header[0] not in names)]
            await send(message)

        try:
            refusal = self._refuse(scope, Headers(scope=scope))
        except ApiError as error:
            refusal = answer(error)
        await (refusal or self.app)(scope, receive, send_guarded)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """What to answer in place of the application; None where it may answer itself."""
        _check_host(headers.get("host", ""), self.house.settings.trusted_hosts)
        if self._says_token(headers):
            return None
        is_open = scope["path"] in _OPEN or scope["path"].startswith("/static/")
        if not is_open and not login.session_is_open(self.house, headers.get("cookie", "")):
            return _ask_to_log_in(scope, headers)
        if scope["method"] not in _SAFE:
            _check_origin(headers)
        return None

    def _says_token(self, headers: Headers) -> bool:
        """A wrong token is an error also where a session is open: whoever sends one means it."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        if not hmac.compare_digest(token.strip().encode(), read_token(self.house.settings).encode()):
            raise _unauthorized("The token is not the one of this server.")
        return True


def _describe(app: FastAPI) -> None:
    """In the API's description, so that clients which are made of it know how to come in."""
    describe = app.openapi

    def with_token() -> dict[str, Any]:
        schema = describe()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer", "description": "The token of the server."}
        schema["security"] = [{"token": []}]
        schema["paths"]["/health"]["get"]["security"] = []
        return schema

    app.openapi = with_token  # type: ignore[method-assign]


def _check_host(host: str, trusted: tuple[str, ...]) -> None:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()
    if not any(pattern in ("*", name) or (pattern[:1] == "*" and name.endswith(pattern[1:])) for pattern in trusted):
        raise UntrustedHostError(
            f"This server does not answer to the name {name!r}.",
            where="host",
            seen=host,
            todo="If that is its name, add it to DREAMGATE_TRUSTED_HOSTS (names with commas between) and start again.",
        )


def _check_origin(headers: Headers) -> None:
    """A session travels by itself, so the request must show that one of our own pages wrote it."""
    if headers.get("sec-fetch-site", "same-origin") == "same-origin":
        source = headers.get("origin") or headers.get("referer")
        if _site_of(source) == headers.get("host") if source else "hx-request" in headers:
            return
    raise ForbiddenError(
        "This request comes from another site, or does not say from where.",
        where="origin",
        seen=headers.get("origin") or headers.get("referer"),
        todo="Programs send `Authorization: Bearer TOKEN` in place of a browser's session.",
    )


def _ask_to_log_in(scope: Scope, headers: Headers) -> Response:
    if scope["path"].startswith("/api/"):
        raise _unauthorized("This needs the token of the server, or a browser's session.")
    if headers.get("hx-request") == "true":  # a part of a page: htmx then loads the form as a whole
        response: Response = answer(_unauthorized("The session is over."))
        response.headers["HX-Redirect"] = login.login_address(_path_of(headers.get("hx-current-url", "/")))
        return response
    if scope["method"] in _SAFE:
        query = scope["query_string"].decode("latin-1")
        return RedirectResponse(login.login_address(scope["path"] + (f"?{query}" if query else "")), 303)
    raise _unauthorized("The session is over.")


def _path_of(address: str) -> str:
    return "/" + address.partition("://")[2].partition("/")[2]


def _site_of(address: str) -> str:
    return address.partition("://")[2].partition("/")[0]


def _unauthorized(message: str) -> UnauthorizedError:
    return UnauthorizedError(message, todo="Send `Authorization: Bearer TOKEN`; the token is in the data folder.")
