"""A git repository as a history to search in. It is only read: no checkout, nothing moved."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.errors import UsageError


@dataclass(frozen=True)
class GitHistory:
    folder: Path
    first_parent: bool = False  # merges count as one step

    def commit(self, name: str) -> str:
        """The whole hash of a commit, tag or branch."""
        found = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", check=False)
        if not found:
            raise UsageError(f"{self.folder} has no commit {name}: fetch it, or name the repository with --repo")
        return found

    def between(self, bad: str, good: Sequence[str]) -> list[str]:
        option = ["--first-parent"] if self.first_parent else []
        lines = self._git("rev-list", "--bisect-all", *option, bad, *(f"^{one}" for one in good)).splitlines()
        return [line.split()[0] for line in lines]

    def is_ancestor(self, old: str, new: str) -> bool:
        return self._run("merge-base", "--is-ancestor", old, new).returncode == 0

    def title(self, commit: str) -> str:
        """Short hash, day, author and subject."""
        return self._git("show", "--no-patch", "--format=%h %as %an: %s", commit)

    def _git(self, *words: str, check: bool = True) -> str:
        done = self._run(*words)
        if check and done.returncode:
            raise UsageError(f"git {words[0]} in {self.folder} failed: {done.stderr.strip()}")
        return done.stdout.strip() if done.returncode == 0 else ""

    def _run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = ["git", "-C", str(self.folder), *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a list, no shell
        except FileNotFoundError:
            raise UsageError("git is not installed, and a bisection reads the history with it") from None


def open_history(folder: Path, *, first_parent: bool = False) -> GitHistory:
    history = GitHistory(folder, first_parent)
    if not history._git("rev-parse", "--git-dir", check=False):
        raise UsageError(f"{folder} is no git repository: name one with --repo")
    return history
