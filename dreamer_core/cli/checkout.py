"""The commit and the branch of the repository one stands in."""

import re
import subprocess
import sys
from dataclasses import dataclass

from dreamer_core.errors import UsageError

_HASH = re.compile("[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Checkout:
    commit: str | None = None
    branch: str | None = None  # None also where no branch is checked out, as in CI
    is_dirty: bool = False


def find_checkout() -> Checkout:
    """Empty outside of a repository, and where there is no git."""
    commit = _git("rev-parse", "HEAD")
    branch = _git("symbolic-ref", "--short", "--quiet", "HEAD")
    return Checkout(
        commit=commit or None, branch=branch or None, is_dirty=bool(commit and _git("status", "--porcelain"))
    )


def find_commit(name: str) -> str:
    """Its hash, where this repository knows it; a hash that it does not know is left to the workers' repository."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found or _HASH.fullmatch(name):
        return found or name
    raise UsageError(f"--commit: there is no {name} in the repository here, and it is not a hash of 7 to 40 digits")


def warn_if_dirty(checkout: Checkout) -> None:
    if checkout.is_dirty and checkout.commit:
        print(
            f"dreamgate: what is not committed is not in {checkout.commit[:12]}, and will not be run", file=sys.stderr
        )


def _git(*words: str) -> str:
    try:
        found = subprocess.run(["git", *words], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
