"""Which code runs: the installed one, or a commit of the repository that the worker's owner named.

A bare clone of it is kept, and one worktree per commit. What a job names is a commit and nothing else: the address is
the owner's word alone.
"""

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dreamer_core.errors import DreamgateError, UsageError

KEPT = 8  # worktrees; those used longest ago go

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SLOW_S = 600  # for what may need the network


class SourceError(DreamgateError):
    """A commit that cannot be run, and why."""


class Source:
    def __init__(self, folder: Path, repository: str | None) -> None:
        self._folder, self._repository = folder, repository
        self._clone = folder / "clone.git"

    @contextmanager
    def at(self, commit: str) -> Iterator[Path]:
        """A checkout of `commit` that stays for as long as this is open."""
        if self._repository is None:
            raise SourceError(
                f"this worker has no source repository and cannot run commit {commit}: set DREAMGATE_SOURCE_REPO "
                "where it is started, or submit without a commit"
            )
        if not _COMMIT.fullmatch(commit):
            raise UsageError(f"a commit is 7 to 40 hexadecimal digits, got {commit[:60]!r}")
        with self._alone():
            tree = self._worktree(self._find(commit))
            use = (tree.parent / f"{tree.name}.use").open("a")
            fcntl.flock(use, fcntl.LOCK_SH)  # in here: between two jobs, somebody might retire it
            os.utime(use.name)
        with use:
            yield tree

    def _find(self, commit: str) -> str:
        """The whole hash. Asks the repository only where the clone does not know it."""
        if not self._clone.exists():
            half = self._folder / "clone.half"
            shutil.rmtree(half, ignore_errors=True)
            self._git("clone", "--quiet", "--bare", "--", str(self._repository), str(half))
            half.rename(self._clone)
        try:
            return self._resolve(commit)
        except SourceError:
            self._git("-C", str(self._clone), "fetch", "--quiet", "--", str(self._repository), "+refs/*:refs/*")
        return self._resolve(commit)

    def _resolve(self, commit: str) -> str:
        try:
            return self._git("-C", str(self._clone), "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
        except SourceError:
            raise SourceError(f"the source repository has no commit {commit}: push it there, or name another") from None

    def _worktree(self, commit: str) -> Path:
        tree = self._folder / commit
        done = self._folder / f"{commit}.use"  # made last, so where it is the checkout is whole
        if not (tree.is_dir() and done.is_file()):
            self._retire(KEPT - 1)
            shutil.rmtree(tree, ignore_errors=True)
            self._git("-C", str(self._clone), "worktree", "prune")
            self._git("-C", str(self._clone), "worktree", "add", "--quiet", "--detach", "--force", str(tree), commit)
            if not (tree / "dreamer_core" / "cli" / "main.py").is_file():
                raise SourceError(f"commit {commit[:12]} of the source repository holds no dreamer_core to run")
        return tree

    def _retire(self, keep: int) -> None:
        marks = sorted(self._folder.glob("*.use"), key=lambda path: path.stat().st_mtime, reverse=True)
        for mark in marks[keep:]:
            with mark.open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:  # a job runs there
                    continue
                shutil.rmtree(mark.with_suffix(""), ignore_errors=True)
                mark.unlink()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, also among workers that share the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _git(self, *words: str) -> str:
        settings = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, no shell; what comes from outside was checked
                ["git", "-c", "core.hooksPath=/dev/null", *words],  # noqa: S607
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SLOW_S,
                check=False,
                start_new_session=True,  # a Ctrl-C is for the worker: jobs go back into the queue, and do not fail
                env={**os.environ, **settings},
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SourceError(f"git could not be run, or took too long: {type(error).__name__}") from error
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            # An address may hold a password, and this sentence ends up on a page.
            raise SourceError(f"git says: {said.replace(str(self._repository), 'the source repository')}")
        return done.stdout.strip()
