"""Where the server is and what opens it, when nobody says: the environment, and on this machine its data folder."""

import os
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from dreamer_core.errors import UsageError
from dreamer_core.program import DEFAULT_SERVER as DEFAULT

TOKEN_FILE = "token"  # noqa: S105 - written by the server into its data folder


def find_server(url: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Without a slash at its end. Only the scheme and the host are checked."""
    found = (url or environ.get("DREAMGATE_SERVER") or DEFAULT).rstrip("/")
    parts = urlsplit(found)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"a server's address looks like {DEFAULT}, got {found!r}; see --server and DREAMGATE_SERVER")
    return found


def find_token(url: str, token: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """What was given, then DREAMGATE_TOKEN, then for a server on this machine the token in its data folder."""
    found = token or environ.get("DREAMGATE_TOKEN")
    if found or not is_here(url):
        return found or None
    try:
        return token_file(environ).read_text().strip() or None
    except OSError:
        return None


def token_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Of a server that runs on this machine."""
    return Path(environ.get("DREAMGATE_DATA") or "dreamgate-data") / TOKEN_FILE


def is_here(url: str) -> bool:
    """Not by asking the resolver: a name that only happens to lead here must not be shown our token."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
