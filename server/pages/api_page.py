"""The REST API as a page to read: every address with what it does, from the same description that programs get."""

from typing import Any

from fastapi import APIRouter, Request, Response

from server.rendering import respond

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/api")
def show_api(request: Request) -> Response:
    described: dict[str, Any] = request.app.openapi()
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for path, methods in described["paths"].items():
        for method in _METHODS:
            if method in methods:
                what = methods[method]
                group = groups.setdefault(what.get("tags", ["health"])[0], [])
                group.append((method.upper(), path, what.get("description") or what["summary"]))
    return respond(request, {"groups": groups}, page="api.html")
