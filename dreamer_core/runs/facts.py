"""Where a run came from: its source code, packages and machine. What cannot be found out is null, never an error."""

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

import dreamer_core

_GIT_TIMEOUT_S = 5


@dataclass(frozen=True, kw_only=True)
class Source:
    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None  # whether files differed from the commit


@dataclass(frozen=True, kw_only=True)
class Runtime:
    python: str
    torch: str | None
    numpy: str | None
    gymnasium: str | None
    platform: str
    cpu: str
    threads: int
    device: str | None = None  # what it computes on, by its maker's name
    driver: str | None = None  # of the NVIDIA cards in the machine


def find_source() -> Source:
    """Of the checkout that this package runs from; nothing where it is installed without one."""
    package = Path(dreamer_core.__file__).parent
    if not _git(package, "ls-files", "--", "__init__.py"):  # inside somebody else's repository, or none
        return Source()
    status = _git(package, "status", "--porcelain", "--untracked-files=no")
    return Source(
        commit=_git(package, "rev-parse", "HEAD") or None,
        branch=_git(package, "rev-parse", "--abbrev-ref", "HEAD") or None,
        dirty=None if status is None else bool(status),
    )


def find_patch() -> bytes | None:
    """What the checkout differs in from its commit, as `git apply` takes it; files unknown to git are not in it."""
    # Whatever the user's settings of git are:
    plain = ("--no-ext-diff", "--no-color", "--no-relative", "--src-prefix=a/", "--dst-prefix=b/")
    return _git_output(Path(dreamer_core.__file__).parent, "diff", "HEAD", "--binary", *plain)


def find_packages() -> list[str]:
    """What is installed, as `name==version`, in the order of names."""
    found = {item.metadata["Name"]: item.version for item in distributions() if item.metadata["Name"]}
    return [f"{name}=={found[name]}" for name in sorted(found, key=str.lower)]


def find_runtime(threads: int, device: str | None) -> Runtime:
    return Runtime(
        python=platform.python_version(),
        torch=_version("torch"),
        numpy=_version("numpy"),
        gymnasium=_version("gymnasium"),
        platform=platform.platform(),
        cpu=cpu_name(),
        threads=threads,
        device=device,
        driver=_driver(Path("/proc/driver/nvidia/version")),
    )


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _git(folder: Path, *words: str) -> str | None:
    found = _git_output(folder, *words)
    return None if found is None else found.decode(errors="replace").strip()


def _git_output(folder: Path, *words: str) -> bytes | None:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, no shell
            command,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _driver(path: Path) -> str | None:
    try:
        found = re.search(r"Kernel Module.*?(\d+(?:\.\d+)+)", path.read_text())
    except OSError:
        return None
    return found.group(1) if found else None
