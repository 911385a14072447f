"""One resource, three faces: JSON for programs, a page for people, a fragment of that page for htmx."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from pydantic import BaseModel

from dreamer_core.program import command
from dreamer_core.version import __version__
from server.errors import ApiError
from server.pages import formats
from server.runs.words import LONGEST_PROSE

FOLDER = Path(__file__).parent.parent / "templates"
# A shared cache must not hand one face to somebody who asked for another.
VARY = {"Vary": "Accept, HX-Request"}


@pass_context
def _command(context: Context, words: str, *, speaks: bool = True) -> str:
    """What a reader can type: with the name that the program has here, to this very server if it `speaks` to one."""
    return command(words, str(context["request"].base_url) if speaks else None)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,  # a name that the context lacks is our mistake, not an empty cell
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formats.FILTERS)
    environment.globals.update(version=__version__, command=_command, longest_prose=LONGEST_PROSE)
    return environment


TEMPLATES = Jinja2Templates(env=_environment())


def respond(
    request: Request,
    context: Mapping[str, Any],
    *,
    page: str,
    fragment: str | None = None,
    resource: BaseModel | None = None,
    status: int = 200,
) -> Response:
    """The face that the request's headers ask for. `page` includes `fragment`; `resource` is what the API answers."""
    if resource is not None and wants_json(request):
        return JSONResponse(resource.model_dump(mode="json"), status, VARY)
    template = fragment if fragment and wants_fragment(request) else page
    return TEMPLATES.TemplateResponse(request, template, dict(context), status, VARY)


def wants_json(request: Request) -> bool:
    return "text/html" not in request.headers.get("accept", "*/*") and not wants_fragment(request)


def wants_fragment(request: Request) -> bool:
    """True only where a part of a page is swapped: boosted links and restored history replace the whole of it."""
    headers = request.headers
    whole = "hx-boosted" in headers or "hx-history-restore-request" in headers
    return headers.get("hx-request") == "true" and not whole


def wants_error_page(request: Request) -> bool:
    """A browser that goes somewhere. The API answers JSON to everybody, and so do the parts of pages."""
    return not request.url.path.startswith("/api/") and not wants_json(request) and not wants_fragment(request)


def error_page(request: Request, error: ApiError) -> Response:
    headers = {"Retry-After": "2"} if error.status == 503 else {}
    return TEMPLATES.TemplateResponse(request, "error.html", {"error": error}, error.status, VARY | headers)
