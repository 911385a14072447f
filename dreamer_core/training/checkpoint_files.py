"""One checkpoint as a sealed folder: tensors in safetensors, the rest in JSON, and a seal over all of it.

Nothing here can run code: no pickle is read or written, and no file is parsed before its hash has been checked.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamer_core.config.parse import from_mapping
from dreamer_core.errors import CheckpointError, ConfigError, naming
from dreamer_core.metrics.jsonsafe import dumps, loads, loads_numbers
from dreamer_core.runs.atomic import sync_folder
from dreamer_core.runs.digest import sha256_of

SEAL = "checkpoint.json"
STATE = "state.json"
FORMAT = "dreamgate-checkpoint"
VERSION = 1

_GROUP = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class SealedFile:
    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Seal:
    """checkpoint.json but for the config. Written last, so where there is one, all that it lists was written."""

    format: str
    version: int
    kind: Literal["full", "world_model"]
    recipe: str
    env_steps: int
    train_steps: int
    files: tuple[SealedFile, ...]

    @property
    def groups(self) -> list[str]:
        return [file.name.removesuffix(".safetensors") for file in self.files if file.name != STATE]


def tensor_file(group: str) -> str:
    return f"{group}.safetensors"


def write_contents(folder: Path, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> None:
    """Everything but the seal."""
    with naming(folder / STATE):
        (folder / STATE).write_text(dumps(state))
    mode = (folder / STATE).stat().st_mode
    for group, named in tensors.items():
        if not _GROUP.fullmatch(group):
            raise ValueError(f"a group of tensors is named in small letters, got {group!r}")
        path = folder / tensor_file(group)
        try:
            save_file(_ready_to_save(named), path)
        except SafetensorError as error:  # a full disk, for one
            raise OSError(f"{path} cannot be written: {error}") from error
        path.chmod(mode)  # safetensors would keep it from everybody else


def write_seal(folder: Path, seal: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Hash what lies in `folder` and close it. When this returns, all of it is on the disk."""
    files = [asdict(_measure(path)) for path in sorted(folder.iterdir())]
    content = {"format": FORMAT, "version": VERSION, **seal, "files": files, "config": config}
    with naming(folder / SEAL):
        (folder / SEAL).write_text(dumps(content | {"digest": _digest(content)}, indent=2))
    for path in folder.iterdir():
        sync_file(path)
    sync_folder(folder)


def read_seal(folder: Path) -> tuple[Seal, dict[str, Any]]:
    """The seal and the config of a checkpoint, found to be whole."""
    path = folder / SEAL
    content = read_json(path)
    if content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not of a Dreamgate checkpoint: its format is {content.get('format')!r}")
    version = content.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise CheckpointError(
            f"{path} has version {version!r}, this Dreamgate reads up to {VERSION}: use the version that wrote it"
        )
    if content.pop("digest", None) != _digest(content):
        raise damaged(path, "it does not match its own digest")
    config = content.pop("config", None)
    try:
        seal = from_mapping(Seal, content)
    except (ConfigError, TypeError) as error:
        raise damaged(path, str(error)) from error
    if not isinstance(config, dict) or not all(_is_plain(file.name) for file in seal.files):
        raise damaged(path, "it lists what no checkpoint holds")
    return seal, config


def read_state(folder: Path, seal: Seal) -> dict[str, Any]:
    path = verify(folder, seal, STATE)
    return _parse(path, path.read_bytes(), numbers=True)


def read_tensors(folder: Path, seal: Seal, group: str, device: str) -> dict[str, Tensor]:
    path = verify(folder, seal, tensor_file(group))
    try:
        return load_file(path, device=device)
    except (SafetensorError, ValueError, OSError) as error:
        raise damaged(path, f"it cannot be read as safetensors ({error})") from error


def verify(folder: Path, seal: Seal, name: str) -> Path:
    """The file `name`, if it is bit for bit the one that was sealed."""
    path = folder / name
    expected = next((file for file in seal.files if file.name == name), None)
    if expected is None:
        held = ", ".join(file.name for file in seal.files)
        raise CheckpointError(f"{folder} holds no {name}; it holds {held}")
    try:
        found = _measure(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}): use another checkpoint of the run") from error
    if found != expected:
        raise damaged(
            path,
            f"expected {expected.bytes} bytes with sha256 {expected.sha256[:12]}…, "
            f"found {found.bytes} with {found.sha256[:12]}…",
        )
    return path


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}): use another checkpoint of the run") from error
    return _parse(path, content)


def damaged(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(f"{path} is damaged or was changed: {problem}. Use another checkpoint of the run")


def sync_file(path: Path) -> None:
    with naming(path), path.open("rb") as file:
        os.fsync(file.fileno())


def _parse(path: Path, content: bytes, *, numbers: bool = False) -> dict[str, Any]:
    try:
        found = loads_numbers(content) if numbers else loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise damaged(path, f"it holds no mapping but {type(found).__name__}")
    return found


def _measure(path: Path) -> SealedFile:
    return SealedFile(name=path.name, sha256=sha256_of(path), bytes=path.stat().st_size)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(dumps(content).encode()).hexdigest()


def _is_plain(name: str) -> bool:
    return name == STATE or (
        name.endswith(".safetensors") and bool(_GROUP.fullmatch(name.removesuffix(".safetensors")))
    )


def _ready_to_save(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, contiguous, and none sharing memory with another, which safetensors refuses."""
    seen: set[int] = set()
    ready = {}
    for name, tensor in named.items():
        here = tensor.detach().cpu().contiguous()
        memory = here.untyped_storage().data_ptr()
        ready[name] = here.clone() if memory in seen else here
        seen.add(memory)
    return ready
