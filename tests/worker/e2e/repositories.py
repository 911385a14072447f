"""Repositories of this checkout's code, for workers that run what a commit says."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
WHO = {f"GIT_{role}_{what}": "somebody@home" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(*words: str, cwd: Path) -> str:
    done = subprocess.run(["git", *words], cwd=cwd, env=os.environ | WHO, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def copy_code(path: Path) -> Path:
    """`dreamer_core` as it lies here, in a repository of its own, nothing committed yet."""
    path.mkdir()
    names = git("ls-files", "--cached", "--others", "--exclude-standard", "dreamer_core", cwd=ROOT).splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes((ROOT / name).read_bytes())
    git("init", "-q", cwd=path)
    return path


def commit(repository: Path, message: str) -> str:
    git("add", ".", cwd=repository)
    git("commit", "-qm", message, "--allow-empty", cwd=repository)
    return git("rev-parse", "HEAD", cwd=repository)
