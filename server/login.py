"""Opening and closing a browser's session: by a link that works once, or by the token typed into the form at /login."""

import hashlib
import hmac
import os
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.routing import Match, Route
from starlette.types import Scope

from server import bodies
from server.house import House
from server.keys import read_secret, read_token
from server.sessions import LIFETIME_S, cookie_name, is_open, new_session, read_cookie

_FORM_BYTES = 4096


def install(app: FastAPI) -> None:
    """The form itself, GET /login without a code, is a page; `?problem=code` or `token` tells it what went wrong."""
    app.router.routes.append(_WithCode("/login", _enter_by_code, methods=["GET"], include_in_schema=False))
    app.router.routes.append(Route("/login", _enter_by_token, methods=["POST"], include_in_schema=False))
    app.router.routes.append(Route("/logout", _leave, methods=["POST"], include_in_schema=False))


def session_is_open(house: House, cookies: str) -> bool:
    session = read_cookie(cookies, cookie_name(house.settings.port))
    return bool(session) and is_open(read_secret(house.settings), session, house.clock())


def login_address(then: str) -> str:
    return f"/login?next={quote(then, safe='/')}"


def own_path(address: str) -> str:
    """Where to go next, if that is a place of this server; else the first page. A link must not lead people away."""
    local = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if local and address.partition("?")[0] != "/login" else "/"


class _WithCode(Route):
    """Only a GET that carries a code. Programs that look ahead with HEAD do not use it up."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http" or scope["method"] != "GET" or b"code=" not in scope["query_string"]:
            return Match.NONE, {}
        return super().matches(scope)


def _enter_by_code(request: Request) -> Response:
    house, then = _house(request), own_path(request.query_params.get("next", "/"))
    if _use_code(house, request.query_params.get("code", "")):
        return _welcome(request, then)
    if session_is_open(house, request.headers.get("cookie", "")):
        return RedirectResponse(then, 303)  # the link was opened again by the same browser
    return RedirectResponse(f"{login_address(then)}&problem=code", 303)


async def _enter_by_token(request: Request) -> Response:
    form = await _read_form(request)
    then = own_path(form.get("next") or request.query_params.get("next", "/"))
    if hmac.compare_digest(form.get("token", "").strip().encode(), read_token(_house(request).settings).encode()):
        return _welcome(request, then)
    return RedirectResponse(f"{login_address(then)}&problem=token", 303)


def _leave(request: Request) -> Response:
    response = RedirectResponse("/login", 303)
    response.delete_cookie(cookie_name(_house(request).settings.port), httponly=True, samesite="lax")
    return response


def _use_code(house: House, code: str) -> bool:
    """The note of its use is a file that can be made once, so that a restart or a race does not make it good again."""
    good = house.settings.login_code
    if not good or not hmac.compare_digest(code.encode(), good.encode()):
        return False
    used = house.settings.data / f"used-login-{hashlib.sha256(good.encode()).hexdigest()[:16]}"
    try:
        os.close(os.open(used, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    for older in house.settings.data.glob("used-login-*"):
        if older != used:
            older.unlink(missing_ok=True)
    return True


def _welcome(request: Request, then: str) -> Response:
    house = _house(request)
    response = RedirectResponse(then, 303)
    response.set_cookie(
        cookie_name(house.settings.port),
        new_session(read_secret(house.settings), house.clock()),
        max_age=LIFETIME_S,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def _read_form(request: Request) -> dict[str, str]:
    """One small form is no reason for a package that reads all of them."""
    body = await bodies.read(request, _FORM_BYTES, what="This form")
    fields: dict[str, list[str]] = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def _house(request: Request) -> House:
    state: Any = request.app.state
    house: House = state.house
    return house
