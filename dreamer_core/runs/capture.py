"""What it takes to make a run again elsewhere: the packages it had, and what its source differed in from its commit.

Both are files in the run's folder. Neither is worth a run: what cannot be found out or written is left out.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.runs.atomic import write_bytes
from dreamer_core.runs.facts import Source, find_packages, find_patch

PATCH_LIMIT = 2**20  # bytes: a checkout that differs in more than this should have been committed


@dataclass(frozen=True, kw_only=True)
class File:
    path: str  # within the run's folder
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Capture:
    packages: File | None = None
    patch: File | None = None  # null where the source was its commit


def capture(folder: Path, source: Source) -> Capture:
    """Write packages.txt and, for a checkout with changes, source.patch."""
    packages = "".join(f"{line}\n" for line in find_packages())
    patch = find_patch() if source.dirty else None
    return Capture(
        packages=_keep(folder / "packages.txt", packages.encode()),
        patch=_keep(folder / "source.patch", _bounded(patch)) if patch else None,
    )


def describe_file(path: Path, content: bytes) -> File:
    return File(path=path.name, sha256=hashlib.sha256(content).hexdigest())


def _keep(path: Path, content: bytes) -> File | None:
    try:
        write_bytes(path, content)
    except OSError:
        return None
    return describe_file(path, content)


def _bounded(patch: bytes) -> bytes:
    """Cut, it cannot be applied any more, but still tells what was being worked on."""
    if len(patch) <= PATCH_LIMIT:
        return patch
    return patch[:PATCH_LIMIT] + f"\n# cut here: the whole patch has {len(patch)} bytes\n".encode()
