"""The sha256 of a file: what checkpoints are sealed with, and what uploads are known by."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
