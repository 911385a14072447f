"""Names of artifacts: relative paths that mean the same on every system that they may be saved on."""

import mimetypes
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

from server.errors import InvalidError

LONGEST = 255
_HIDDEN = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of characters, separators of lines
# What a browser may show at once. Whatever can carry a script (html, svg, xml, pdf) is saved to a file instead.
_SHOWN = {
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".md": "text/plain",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".txt": "text/plain",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".yaml": "text/plain",
}
# For the others Python's own table, not the one of the machine.
_TYPES = mimetypes.MimeTypes().types_map[True]


def check(name: str) -> None:
    problem = _problem(name)
    if problem:
        raise InvalidError(
            f"This name of an artifact {problem}.",
            where="name",
            seen=ascii(name[: LONGEST + 1]),
            todo=f"Use a relative path of up to {LONGEST} characters, such as eval/summary.json.",
        )


def media_type(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return _SHOWN.get(suffix) or _TYPES.get(suffix) or "application/octet-stream"


def disposition(name: str) -> str:
    """How a browser takes it, and under which name it is saved: the last part, in ASCII and as it is (RFC 6266)."""
    last = name.rpartition("/")[2]
    plain = "".join(c if c.isascii() and c not in '"%' else "_" for c in last)
    kind = "inline" if PurePosixPath(name).suffix.lower() in _SHOWN else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"


def _problem(name: str) -> str | None:
    if not 1 <= len(name) <= LONGEST:
        return f"has {len(name)} characters"
    if "\\" in name or any(unicodedata.category(c) in _HIDDEN for c in name):
        return "has a backslash or a control character"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "has an empty part, . or .."
    return None
