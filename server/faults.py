"""Every way to fail, in one shape: our own errors, what FastAPI refuses, a database that is away, and our mistakes."""

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from dreamer_core.errors import ConfigError, UsageError
from server import refusals
from server.errors import ApiError, InvalidError, UnavailableError
from server.rendering import error_page, wants_error_page

_READ_ONLY = "25006"  # of Postgres
_NOTHING_SEEN = ("missing", "json_invalid")  # what pydantic calls the input there is all that was sent, or nothing

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    app.add_exception_handler(ApiError, _own)
    app.add_exception_handler(UsageError, _usage)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(PoolTimeoutError, _database)
    app.add_exception_handler(DBAPIError, _database_or_mistake)
    app.add_exception_handler(Exception, _unforeseen)


def answer(error: ApiError) -> JSONResponse:
    headers = {"Retry-After": "2"} if isinstance(error, UnavailableError) else {}
    return JSONResponse(error.body(), error.status, headers)


def _say(request: Request, error: ApiError) -> Response:
    """A page to a browser that goes somewhere, JSON to everybody else."""
    return error_page(request, error) if wants_error_page(request) else answer(error)


def _own(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return _say(request, error)


def _usage(request: Request, error: Exception) -> Response:
    """The core's own words about a config: the same that the command line prints."""
    where = error.key if isinstance(error, ConfigError) else None
    return _say(request, InvalidError(str(error), where=where or None))


def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = dict(error.errors()[0])
    known = refusals.known_beside(_model_of(request), first["loc"][1:]) if first["loc"][0] == "body" else []
    message = f"{refusals.named(first)}: {refusals.in_words(first, known)}"
    seen = None if first["type"] in _NOTHING_SEEN else repr(first.get("input"))[:200]
    return _say(request, InvalidError(message, where=refusals.place_of(first), seen=seen))


def _model_of(request: Request) -> Any:
    """What the body should have been, where the route takes one."""
    field = getattr(request.scope.get("route"), "body_field", None)
    return None if field is None else field.field_info.annotation


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    plain = ApiError(str(error.detail))
    plain.status = error.status_code
    plain.code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    response = _say(request, plain)
    response.headers.update(error.headers or {})
    return response


def _database(request: Request, error: Exception) -> Response:
    detail = error.orig if isinstance(error, DBAPIError) else error
    log.warning("%s %s: the database is away: %s", request.method, request.url.path, detail)
    return _say(request, UnavailableError("The database does not answer or is busy.", todo="Try again in a moment."))


def _database_or_mistake(request: Request, error: Exception) -> Response:
    """Of what a database refuses, the most is a mistake of ours. Not so: it is a standby since the last one failed."""
    assert isinstance(error, DBAPIError)
    if error.connection_invalidated or getattr(error.orig, "sqlstate", None) == _READ_ONLY:
        return _database(request, error)
    raise error


def _unforeseen(request: Request, error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    unforeseen = ApiError("The server met an error that it did not foresee; its log has the details.")
    unforeseen.status, unforeseen.code = 500, "unforeseen"
    return _say(request, unforeseen)
