"""What only this server knows: the token that programs say, the key that signs sessions. Both are made once."""

import functools
import os
import secrets
from pathlib import Path

from server.settings import Settings


@functools.lru_cache(maxsize=8)  # asked for by every request
def read_token(settings: Settings) -> str:
    """The token that was set, else the one in the data folder."""
    return settings.token or _made_once(settings.data / "token")


@functools.lru_cache(maxsize=8)
def read_secret(settings: Settings) -> bytes:
    """Signs sessions. Another token signs differently, so that changing the token ends every session."""
    return f"{_made_once(settings.data / 'secret')} {read_token(settings)}".encode()


def _made_once(path: Path) -> str:
    """Two starts at once agree: the file appears whole or not at all, and the first one stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            _link(half, path)
        finally:
            half.unlink(missing_ok=True)
    return path.read_text().strip()


def _link(half: Path, path: Path) -> None:
    try:
        os.link(half, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            half.replace(path)
