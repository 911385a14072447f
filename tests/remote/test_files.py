"""Files that come and go: whole or not at all, also when the connection breaks in the middle."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from dreamer_core.remote import RemoteError, Unreachable
from tests.remote.fakes import REFUSED, Scripted, client_of, refusal

CONTENT = b"0123456789" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Cut(httpx2.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield CONTENT[:100]
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


def artifact() -> dict[str, object]:
    return {
        "name": "eval/summary.json",
        "size": len(CONTENT),
        "sha256": SHA256,
        "media_type": "application/json",
        "created_at": "2026-11-21T10:00:00.000+00:00",
        "url": "/api/v1/runs/run/artifacts/eval/summary.json",
    }


def answer(content: bytes) -> httpx2.Response:
    return httpx2.Response(200, content=content, headers={"ETag": f'"{SHA256}"'})


def test_an_export_that_breaks_is_begun_again(tmp_path: Path) -> None:
    server = Scripted(httpx2.Response(200, stream=Cut()), httpx2.Response(200, content=CONTENT))
    file = client_of(server).export("run", "csv", tmp_path / "new" / "run.csv", keys=["a", "b/c"])
    assert file.read_bytes() == CONTENT
    assert [path.name for path in file.parent.iterdir()] == ["run.csv"]
    assert dict(server.asked[0].url.params) == {"format": "csv", "keys": "a,b/c"}


@pytest.mark.parametrize("trouble", [httpx2.Response(200, stream=Cut()), refusal(404, "not_found", "No.")])
def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path, trouble: httpx2.Response) -> None:
    file = tmp_path / "run.csv"
    file.write_text("old")
    with pytest.raises(RemoteError):
        client_of(Scripted(trouble, REFUSED), patience_s=0).export("run", "csv", file)
    assert file.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_downloaded_artifact_is_what_the_server_says_it_is(tmp_path: Path) -> None:
    server = Scripted(answer(CONTENT))
    file = client_of(server).download_artifact("run", "eval/summary.json", tmp_path / "summary.json")
    assert file.read_bytes() == CONTENT
    assert server.asked[0].url.path == "/api/v1/runs/run/artifacts/eval/summary.json"


def test_content_that_is_damaged_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="nothing was kept"):
        client_of(Scripted(answer(CONTENT[1:]))).download_artifact("run", "eval/x", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_an_upload_is_sent_again_whole_and_with_its_hash(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_bytes(CONTENT)
    server = Scripted(REFUSED, httpx2.Response(201, json=artifact()))
    kept = client_of(server).upload_artifact("run", "eval/sümmary 1.json", tmp_path / "summary.json", lease="a lease")
    assert kept.sha256 == SHA256
    for request in server.asked:
        assert request.content == CONTENT
        assert request.headers["X-Sha256"] == SHA256
        assert request.headers["Content-Length"] == "10000"
        assert request.headers["X-Dreamgate-Lease"] == "a lease"
        assert request.url.path == "/api/v1/runs/run/artifacts/eval/sümmary 1.json"


def test_an_upload_that_never_arrives_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    with pytest.raises(Unreachable):
        client_of(Scripted(REFUSED), patience_s=0).upload_artifact("run", "file", tmp_path / "file")
