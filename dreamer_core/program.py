"""How this program is called here: a command that somebody is told to type must work where they are."""

import os
from collections.abc import Mapping

DEFAULT_SERVER = "http://127.0.0.1:8420"
VARIABLE = "DREAMGATE_PROGRAM"  # set by the launcher, which is in no folder of the PATH


def command(words: str, server: str | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """`server`: the one that is spoken to, which is said where the command would not find it by itself."""
    known = environ.get("DREAMGATE_SERVER") or DEFAULT_SERVER
    there = f" --server {server.rstrip('/')}" if server and server.rstrip("/") != known.rstrip("/") else ""
    return f"{name(environ)} {words}{there}"


def name(environ: Mapping[str, str] = os.environ) -> str:
    return environ.get(VARIABLE) or "dreamgate"
