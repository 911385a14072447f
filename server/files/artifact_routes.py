"""Routes of artifacts: list, upload, download and delete the files of a run."""

from collections.abc import Iterator
from typing import Annotated, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from server import etags
from server.clock import iso
from server.error_docs import ErrorOut
from server.errors import UnavailableError
from server.files import artifacts, names, parts
from server.files.ranges import Span
from server.files.uploads import Upload, drop_if_unused
from server.house import House, HouseDep
from server.jobs.lease import Lease, require_lease
from server.jsonvalues import Text
from server.paging import Cursor, Limit, Page, decode, encode
from server.runs.rows import need_run
from server.tables import Artifact

router = APIRouter(tags=["artifacts"])

_PATH = "/runs/{run_id}/artifacts/{name:path}"


class ArtifactOut(BaseModel):
    name: str = Field(examples=["eval/summary.json"])
    size: int = Field(examples=[1834])
    sha256: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    media_type: str = Field(examples=["application/json"])
    created_at: str = Field(description="when this content came", examples=["2026-11-21T10:15:02.345+00:00"])
    url: str = Field(examples=["/api/v1/runs/k3x9c2m5q7dw/artifacts/eval/summary.json"])


@router.get("/runs/{run_id}/artifacts", response_model=Page[ArtifactOut])
def list_artifacts(
    house: HouseDep,
    request: Request,
    run_id: str,
    prefix: Annotated[Text, Query(max_length=names.LONGEST)] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ArtifactOut]:
    """The files of a run, by name"""
    [after] = decode(cursor, str) if cursor else [""]
    with house.database.reading() as session:
        need_run(session, run_id)
        found = artifacts.listed(session, run_id, prefix, after, limit + 1)
    items = [_out(artifact, request.scope["path"]) for artifact in found[:limit]]
    return Page(items=items, next=encode(items[-1].name) if len(found) > limit else None)


@router.put(
    _PATH,
    response_model=ArtifactOut,
    openapi_extra={"requestBody": parts.RAW_BODY},
    responses={
        201: {"model": ArtifactOut, "description": "New under this name"},
        507: {"model": ErrorOut, "description": "No room is left; nothing was kept"},
    },
)
async def upload_artifact(  # streams: the bytes go to the store as they come
    house: HouseDep,
    request: Request,
    response: Response,
    run_id: str,
    name: str,
    sha256: Annotated[str | None, Header(alias="X-Sha256", pattern="^[0-9a-fA-F]{64}$")] = None,
    token: Lease = None,
) -> ArtifactOut:
    """Upload a file, or replace one. With X-Sha256: only if exactly these bytes arrive"""
    upload = Upload(house, run_id, name, token)
    await run_in_threadpool(upload.check)
    put = await upload.receive(request.stream(), sha256)
    house.bell.ring(run_id)
    response.status_code = 201 if put.is_new else 200
    return _out(put.artifact, request.scope["path"].removesuffix(f"/{name}"))


@router.get(
    _PATH,
    response_class=Response,
    responses={
        200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "If-None-Match names the content it has"},
        **parts.RESPONSES,
    },
)
def download_artifact(
    house: HouseDep,
    run_id: str,
    name: str,
    asked: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
    if_range: Annotated[str | None, Header(max_length=200)] = None,
    if_none_match: Annotated[str | None, Header(max_length=2000)] = None,
) -> Response:
    """The bytes of a file, or the part that Range asks for. ETag is the hash of the content"""
    names.check(name)
    with house.database.reading() as session:
        need_run(session, run_id)
        artifact = artifacts.find(session, run_id, name)
    etag = f'"{artifact.sha256}"'
    headers = {
        "ETag": etag,
        "Content-Disposition": names.disposition(name),
        "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; media-src 'self'",
        "X-Content-Type-Options": "nosniff",
    }
    if if_none_match is not None and etags.names(if_none_match, etag):
        return Response(None, 304, headers)
    wanted = asked if if_range in (None, etag) else None
    return parts.answer(
        wanted, artifact.size, artifact.media_type, headers, lambda span: _contents(house, artifact, span)
    )


@router.delete(_PATH, status_code=204, response_class=Response)
def delete_artifact(house: HouseDep, run_id: str, name: str, token: Lease = None) -> None:
    """Delete a file. Its content goes with the last artifact that has it"""
    names.check(name)
    with house.database.writing() as session:
        require_lease(session, run_id, token, final_will_do=True)
        sha256 = artifacts.delete(session, run_id, name)
    drop_if_unused(house, sha256)
    house.bell.ring(run_id)


def _contents(house: House, artifact: Artifact, span: Span) -> Iterator[bytes]:
    """Opens the file at once, so that what is missing is told before the answer begins."""
    file = house.store.open(artifact.sha256)
    if file is None:
        raise UnavailableError(
            f"The content of {artifact.name[:60]!r} was replaced at this moment, or its file is lost.",
            where="artifact",
            seen=artifact.sha256,
            todo="Try again; if that does not help, upload it again or delete it.",
        )
    return _read(file, span)


def _read(file: BinaryIO, span: Span) -> Iterator[bytes]:
    with file:
        file.seek(span.start)
        for piece in parts.pieces(span):
            yield file.read(piece.length)


def _out(artifact: Artifact, folder: str) -> ArtifactOut:
    created_at = iso(artifact.created_at)
    return ArtifactOut.model_validate(
        artifact.model_dump() | {"created_at": created_at, "url": f"{folder}/{quote(artifact.name)}"}
    )
