"""What a run's manifest says. It may come from anybody's trainer: what is not where ours have it is not known."""

from collections.abc import Mapping
from typing import Any

_LONGEST_COMMIT = 40


def part(tree: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = (tree or {}).get(name)
    return found if isinstance(found, Mapping) else {}


def source_commit(manifest: Mapping[str, Any] | None) -> str | None:
    """The code that ran."""
    commit = part(manifest, "source").get("commit")
    return commit if isinstance(commit, str) and 0 < len(commit) <= _LONGEST_COMMIT else None


def is_dirty(manifest: Mapping[str, Any] | None) -> bool | None:
    """Whether that code was changed and not committed. None: nobody knows."""
    dirty = part(manifest, "source").get("dirty")
    return dirty if isinstance(dirty, bool) else None


def machine(manifest: Mapping[str, Any] | None) -> str:
    """The device that did the work, in its maker's words; empty where it is not known."""
    runtime = part(manifest, "runtime")
    device = str(runtime.get("device") or "")
    return str(runtime.get("cpu") or "") or device if device in ("", "cpu") else device
