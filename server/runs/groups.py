"""Which runs differ in their seed alone: the seed group, as one short hash."""

import hashlib
import json
from typing import Any


def seed_group(kind: str, fingerprint: str | None, commit: str | None, *rest: Any) -> str:
    """`rest` is what else must be equal: the arguments of an evaluation, the config of an imported run."""
    text = json.dumps([kind, fingerprint, commit, *rest], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
