"""The form that opens a browser's session. What it sends, server/login.py answers."""

from fastapi import APIRouter, Request, Response

from server.login import own_path
from server.rendering import respond

router = APIRouter(include_in_schema=False)

_PROBLEMS = {
    "token": "That is not the token of this server.",
    "code": "This login link is used up or belongs to another start of the server. Log in with the token instead.",
}


@router.get("/login")
def login_form(request: Request) -> Response:
    asked = request.query_params
    problem = _PROBLEMS.get(asked.get("problem", ""))
    return respond(request, {"problem": problem, "next": own_path(asked.get("next", "/"))}, page="login.html")
