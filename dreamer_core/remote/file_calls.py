"""Logs and artifacts."""

from collections.abc import Iterator
from pathlib import Path

from dreamer_core.remote.calls import Calls, total
from dreamer_core.remote.download import download
from dreamer_core.remote.reading import read
from dreamer_core.remote.shapes import Artifact
from dreamer_core.remote.transport import decoded, segment
from dreamer_core.runs.digest import sha256_of

_CHUNK = 1 << 20


class FileCalls(Calls):
    def append_log(self, run_id: str, offset: int, data: bytes, lease: str | None = None) -> int:
        """How many bytes the log has now. At most 1 MiB at once."""
        response = self._http.call(
            "POST",
            f"/runs/{segment(run_id)}/log",
            content=data,
            headers={"Content-Type": "application/octet-stream"},
            params={"offset": offset},
            lease=lease,
        )
        return total(decoded(response), "bytes")

    def read_log(self, run_id: str, tail: int = 200) -> str:
        """The last lines."""
        return self._http.call("GET", f"/runs/{segment(run_id)}/log", params={"tail": tail}).text

    def list_artifacts(self, run_id: str, prefix: str = "") -> tuple[Artifact, ...]:
        return tuple(self._every(Artifact, f"/runs/{segment(run_id)}/artifacts", {"prefix": prefix or None}))

    def upload_artifact(self, run_id: str, name: str, path: Path, lease: str | None = None) -> Artifact:
        """The file must not change meanwhile: the server compares its hash and keeps nothing that differs."""
        size, sha256 = path.stat().st_size, sha256_of(path)
        response = self._http.call(
            "PUT",
            _artifact(run_id, name),
            content=lambda: _chunks(path),
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(size),
                "X-Sha256": sha256,
            },
            lease=lease,
        )
        return read(Artifact, decoded(response))

    def download_artifact(self, run_id: str, name: str, to: Path) -> Path:
        """`to` is there when it is complete and its hash is the right one."""
        return download(self._http, _artifact(run_id, name), to, etag_is_hash=True)

    def delete_artifact(self, run_id: str, name: str, lease: str | None = None) -> None:
        self._http.call("DELETE", _artifact(run_id, name), lease=lease)


def _artifact(run_id: str, name: str) -> str:
    return f"/runs/{segment(run_id)}/artifacts/{'/'.join(map(segment, name.split('/')))}"


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
