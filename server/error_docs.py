"""The one shape of errors, as the API's description shows it for every route."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ErrorDetail(BaseModel):
    model_config = ConfigDict(extra="allow")  # some errors say more, such as where to go on from

    code: str = Field(description="for programs; it does not change")
    message: str = Field(description="for people")
    where: str | None = Field(description="the part of the request that it is about")
    seen: str | float | bool | None = Field(description="what stood there")
    todo: str | None = Field(description="what to do about it")


class ErrorOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "code": "not_found",
                        "message": "There is no run 'abc'.",
                        "where": "run",
                        "seen": "abc",
                        "todo": None,
                    }
                }
            ]
        }
    )

    error: ErrorDetail


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "model": ErrorOut,
        "description": "Refused: 400 and 422 not understood, 401 no or a wrong token, 404 not there, 409 not in this "
        "state, 412 changed since it was read, 413 too large",
    },
    503: {
        "model": ErrorOut,
        "description": "Something that the server needs is away, or too many ask at once; try again later",
    },
}
