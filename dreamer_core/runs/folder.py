"""The folder of one run: its name, where things lie in it, and who may write there."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from dreamer_core.config.parse import to_mapping
from dreamer_core.config.tree import Config
from dreamer_core.errors import UsageError
from dreamer_core.runs.atomic import write_json


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def config(self) -> Path:
        return self.path / "config.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def eval(self) -> Path:
        return self.path / "eval"

    @property
    def videos(self) -> Path:
        return self.path / "videos"

    @property
    def failure(self) -> Path:
        return self.path / "failure"

    def lock(self, rank: int = 0) -> Path:
        """Held by the process that trains here, whose number it holds."""
        return self.path / (f".lock-{rank}" if rank else ".lock")

    @contextmanager
    def locked(self, rank: int = 0) -> Iterator[None]:
        """While inside, no other process can train here. The system lets go of the lock when a process dies."""
        with self.lock(rank).open("a+") as lock:
            _take(lock, self.path)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield


def create_run(root: Path, config: Config) -> RunFolder:
    """A new folder below `root` that holds the config, named by time, recipe, environment, tag and eight digits."""
    now = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    env = re.sub(r"[^A-Za-z0-9.]+", "-", config.env.id).strip("-.")
    name = "__".join([now, config.algo.recipe, env, config.run.tag, secrets.token_hex(4)])
    return create_run_in(root / name, config)


def create_run_in(path: Path, config: Config) -> RunFolder:
    """A new run in exactly this folder, which is missing or empty."""
    check_empty(path)
    folder = RunFolder(path.absolute())
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.checkpoints.mkdir()
    write_json(folder.config, to_mapping(config))
    return folder


def check_empty(path: Path) -> None:
    """Nothing that lies there may be mixed with a new run."""
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{path} is not empty: a new run needs a folder of its own; name another, or remove this one")


def open_run(path: Path) -> RunFolder:
    folder = RunFolder(path.absolute())
    if not path.is_dir():
        raise UsageError(f"{path}: there is no such run folder; give the folder that a training run made")
    missing = [file.name for file in (folder.config, folder.manifest) if not file.is_file()]
    if missing:
        raise UsageError(
            f"{path} is not the folder of a run: it has no {' and no '.join(missing)}; "
            "give the folder that a training run made, the one that holds its checkpoints"
        )
    return folder


def _take(lock: TextIOWrapper, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        raise UsageError(f"{path} is in use by process {holder}: wait for it or stop it, then try again") from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be locked ({error}): choose a runs folder on a file system with locks"
        ) from error
