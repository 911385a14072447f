"""Checkpoints of a run: saved whole or not at all, found again by name, and never trusted without their hashes.

    checkpoints/step_000000010000/   one checkpoint (see checkpoint_files)
    checkpoints/last.json            names the newest one: replacing this file is what makes a checkpoint count
    checkpoints/best.json            names the one with the best evaluation

A checkpoint never changes once it has its name. One that is saved again at the same step lies beside the first, as
step_000000010000_2, until last.json names it. Only the replay, by far its largest file, is removed when a newer
checkpoint is complete.
"""

import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from dreamer_core.config.parse import from_mapping, to_mapping
from dreamer_core.config.tree import Config
from dreamer_core.errors import CheckpointError, ConfigError
from dreamer_core.runs.atomic import sync_folder, write_json
from dreamer_core.runs.digest import sha256_of
from dreamer_core.training import checkpoint_files as files
from dreamer_core.training.optimizer_state import flatten_optimizer, unflatten_optimizer

__all__ = ["Snapshot", "flatten_optimizer", "load", "mark_best", "resolve", "save", "unflatten_optimizer"]

REPLAY = "replay"  # the group that only the newest checkpoint keeps

_NAME = re.compile(r"step_(\d{12,})(?:_(\d+))?")
_HALF, _GONE = ".half-", ".gone-"


@dataclass(frozen=True)
class Snapshot:
    """All that a run needs to go on: tensors by group and name, and everything else as JSON."""

    config: Config
    env_steps: int
    train_steps: int
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]

    @property
    def kind(self) -> Literal["full", "world_model"]:
        """Whether its actor and critic have learned anything."""
        return "full" if self.config.mode in ("train", "dreamer") else "world_model"


def save(folder: Path, snapshot: Snapshot, *, keep: int, pin: Collection[str] = ()) -> Path:
    """Add a checkpoint to the folder `checkpoints`, then remove all but the newest `keep`, the best and those pinned.

    Killed at any moment, it leaves the checkpoints from before as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(folder)
    path = folder / _free_name(folder, snapshot.env_steps)
    half = folder / (_HALF + path.name)
    half.mkdir()
    try:
        _write(half, snapshot)
    except OSError:  # a full disk: what is not whole must not fill it further
        shutil.rmtree(half, ignore_errors=True)
        raise
    half.rename(path)
    sync_folder(folder)
    _point(folder / "last.json", path)
    _move_best(folder, path)
    _retire(folder, path, keep, pin)
    return path


def mark_best(folder: Path, path: Path, score: float, step: int) -> None:
    """Remember `path`, evaluated at `step` with `score`, as the best checkpoint, and keep it."""
    _point(folder / "best.json", path, score=score, step=step)


def resolve(path: Path) -> Path:
    """The folder of one checkpoint, from: itself, a run or its checkpoints (both mean the last), RUN/best, RUN/last."""
    if (path / files.SEAL).is_file():
        return path
    folder = _checkpoints_of(path)
    if folder is not None:
        return _follow(folder, "last")
    above = _checkpoints_of(path.parent)
    if path.name in ("best", "last") and above is not None:
        return _follow(above, path.name)
    raise CheckpointError(_why_not(path))


def load(path: Path, device: torch.device | str = "cpu", groups: Collection[str] | None = None) -> Snapshot:
    """Read a checkpoint, or only some `groups` of its tensors. Every file is verified before it is parsed."""
    folder = resolve(path)
    seal, mapping = files.read_seal(folder)
    try:
        config = from_mapping(Config, mapping)
    except ConfigError as error:
        raise CheckpointError(
            f"{folder / files.SEAL} holds a config that this Dreamgate does not know ({error}): "
            "use the version that wrote it"
        ) from error
    wanted = [group for group in seal.groups if _is_there(folder, group)] if groups is None else list(groups)
    return Snapshot(
        config=config,
        env_steps=seal.env_steps,
        train_steps=seal.train_steps,
        tensors={group: files.read_tensors(folder, seal, group, str(device)) for group in wanted},
        state=files.read_state(folder, seal),
    )


def _write(half: Path, snapshot: Snapshot) -> None:
    files.write_contents(half, snapshot.tensors, snapshot.state)
    seal = {
        "kind": snapshot.kind,
        "recipe": snapshot.config.algo.recipe,
        "env_steps": snapshot.env_steps,
        "train_steps": snapshot.train_steps,
    }
    files.write_seal(half, seal, to_mapping(snapshot.config))


def _point(pointer: Path, path: Path, **facts: float) -> None:
    write_json(pointer, {"path": path.name, "sha256": sha256_of(path / files.SEAL), **facts})


def _follow(folder: Path, name: str) -> Path:
    pointer = folder / f"{name}.json"
    if not pointer.is_file():
        what = "evaluation has chosen a best one" if name == "best" else "one has been saved"
        raise CheckpointError(f"{folder} has no {name} checkpoint yet: wait until {what}, or name another")
    found = _read_pointer(pointer)
    path: Path = folder / found["path"]
    if not (path / files.SEAL).is_file():
        raise CheckpointError(f"{pointer} names {path}, which is gone: name another checkpoint of the run")
    if sha256_of(path / files.SEAL) != found.get("sha256"):
        raise files.damaged(path / files.SEAL, f"it is not the one that {pointer} means")
    return path


def _read_pointer(pointer: Path) -> dict[str, Any]:
    found = files.read_json(pointer)
    if not isinstance(found.get("path"), str) or not _NAME.fullmatch(found["path"]):
        raise files.damaged(pointer, f"it names {found.get('path')!r}, which is no checkpoint")
    return found


def _checkpoints_of(path: Path) -> Path | None:
    """The folder with the checkpoints of the run, or of the checkpoints folder, `path`."""
    for folder in (path / "checkpoints", path):
        if folder.is_dir() and (folder.name == "checkpoints" or (folder / "last.json").is_file() or _steps(folder)):
            return folder
    return None


def _why_not(path: Path) -> str:
    known = "give a run, RUN/best, RUN/last or one folder below RUN/checkpoints"
    if not path.exists():
        return f"{path}: there is no such checkpoint; {known}"
    if not path.is_dir():
        return (
            f"{path} is a file, a checkpoint is a folder; {known}. Files of other programs (.pt, .ckpt) can run code "
            "when they are loaded, so they are never opened"
        )
    inside = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
    return f"{path} is not a checkpoint: it has no {files.SEAL}, it holds {inside}; {known}"


def _is_there(folder: Path, group: str) -> bool:
    """Only the replay may be gone without that being damage."""
    return group != REPLAY or (folder / files.tensor_file(group)).exists()


def _steps(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, oldest first."""
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=_age)


def _age(path: Path) -> tuple[int, int]:
    found = _NAME.fullmatch(path.name)
    assert found is not None, path
    return int(found[1]), int(found[2] or 1)


def _free_name(folder: Path, env_steps: int) -> str:
    taken = [number for step, number in map(_age, _steps(folder)) if step == env_steps]
    name = f"step_{env_steps:012d}"
    return f"{name}_{max(taken) + 1}" if taken else name


def _move_best(folder: Path, path: Path) -> None:
    """A checkpoint that is saved again at its step takes the place of the first one, also as the best."""
    pointer = folder / "best.json"
    if not pointer.is_file():
        return
    best = _read_pointer(pointer)
    if _age(folder / best["path"])[0] == _age(path)[0]:
        _point(pointer, path, score=float(best["score"]), step=best["step"])


def _retire(folder: Path, newest: Path, keep: int, pin: Iterable[str]) -> None:
    """Remove what nobody needs: the old, the twice saved, and what lies after `newest`, a future that never came."""
    best = folder / "best.json"
    kept = {newest.name, *pin, *([_read_pointer(best)["path"]] if best.is_file() else [])}
    older = [path for path in _steps(folder) if _age(path)[0] < _age(newest)[0]]
    kept |= {path.name for path in older[-(keep - 1) :]} if keep > 1 else set()
    for path in _steps(folder):
        if path.name not in kept:
            path.rename(folder / (_GONE + path.name))
        elif path != newest:
            (path / files.tensor_file(REPLAY)).unlink(missing_ok=True)
    _clear_leftovers(folder)


def _clear_leftovers(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith((_HALF, _GONE)):
            shutil.rmtree(path)
