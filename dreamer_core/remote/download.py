"""From the server into a file, which is there whole or not at all."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from dreamer_core.remote.errors import RemoteError
from dreamer_core.remote.transport import Transport
from dreamer_core.runs.atomic import sync_folder


def download(
    http: Transport, path: str, to: Path, *, params: Mapping[str, Any] | None = None, etag_is_hash: bool = False
) -> Path:
    """Makes the folders above `to`. With `etag_is_hash`, content that is not what the ETag says is refused."""
    to.parent.mkdir(parents=True, exist_ok=True)
    half = to.with_name(f".{to.name}.{os.getpid()}.half")
    try:
        seen, etag = http.patiently(lambda: _fetch(http, path, params, half))
        if etag_is_hash and seen != etag:
            raise RemoteError(
                "damaged", f"{to.name} came with sha256 {seen}, and should have {etag}; nothing was kept."
            )
        half.replace(to)
    finally:
        half.unlink(missing_ok=True)
    sync_folder(to.parent)
    return to


def _fetch(http: Transport, path: str, params: Mapping[str, Any] | None, half: Path) -> tuple[str, str]:
    """The sha256 of what came, and the ETag that came with it."""
    sha = hashlib.sha256()
    with closing(http.open(path, params=params)) as response, half.open("wb") as file:
        for chunk in response.iter_bytes(1 << 20):
            sha.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return sha.hexdigest(), response.headers.get("ETag", "").strip('"')
