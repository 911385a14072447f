"""A checkpoint that was damaged, changed or made by something else is a clear error and never runs code."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dreamer_core.errors import CheckpointError
from dreamer_core.training.checkpoint import load, mark_best, resolve
from dreamer_core.training.checkpoint_files import SEAL, STATE, write_seal
from tests.unit.checkpoints import save_steps

FILES = ["agent.safetensors", "player.safetensors", "replay.safetensors", STATE, SEAL]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return save_steps(tmp_path / "checkpoints", 10)[0]


class Bait:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return Path.touch, (self.trap,)


def rewrite_seal(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """As a careful attacker, or another version, would: with hashes that fit."""
    seal = json.loads((path / SEAL).read_text())
    change(seal)
    (path / SEAL).unlink()
    kept = {key: value for key, value in seal.items() if key not in ("files", "config", "digest")}
    write_seal(path, kept, seal["config"])


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_anywhere_is_found(path: Path, name: str) -> None:
    whole = (path / name).read_bytes()
    places = range(0, len(whole), max(1, len(whole) // 60))
    for place in [*places, len(whole) - 2, len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 1
        (path / name).write_bytes(changed)
        with pytest.raises(CheckpointError, match=f"{name} (is damaged|is not of a|has version)"):
            load(path)
    (path / name).write_bytes(whole)
    assert load(path).env_steps == 10


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_found(path: Path, name: str) -> None:
    whole = (path / name).read_bytes()
    for length in {0, 1, len(whole) // 2, len(whole) - 1}:
        (path / name).write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=f"{name} is damaged or was changed: .* Use another checkpoint"):
            load(path)


@pytest.mark.parametrize("name", ["agent.safetensors", STATE])
def test_a_missing_file_is_named(path: Path, name: str) -> None:
    (path / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name} cannot be read .* use another checkpoint"):
        load(path)


def test_files_of_two_checkpoints_cannot_be_mixed(path: Path) -> None:
    (other,) = save_steps(path.parent, 20)
    shutil.copy(other / "agent.safetensors", path / "agent.safetensors")
    with pytest.raises(CheckpointError, match=r"agent\.safetensors is damaged or was changed"):
        load(path)


def test_a_pickle_in_the_place_of_tensors_is_not_run(path: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    bait = pickle.dumps(Bait(trap))
    pickle.loads(bait)
    assert trap.exists()  # it would run
    trap.unlink()
    (path / "agent.safetensors").write_bytes(bait)
    with pytest.raises(CheckpointError, match=r"agent\.safetensors is damaged or was changed: expected"):
        load(path)
    rewrite_seal(path, lambda seal: None)
    with pytest.raises(CheckpointError, match=r"agent\.safetensors .* cannot be read as safetensors"):
        load(path)
    assert not trap.exists()


@pytest.mark.parametrize("name", ["model.pt", "model.ckpt", "agent.safetensors"])
def test_a_file_of_another_program_is_not_opened(tmp_path: Path, name: str) -> None:
    trap = tmp_path / "trap"
    torch.save({"agent": Bait(trap)}, tmp_path / name)
    with pytest.raises(CheckpointError, match="is a file, a checkpoint is a folder"):
        load(tmp_path / name)
    with pytest.raises(CheckpointError, match=f"it has no checkpoint.json, it holds {name}"):
        load(tmp_path)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "it is not JSON"),
        ("[1]", "it holds no mapping but list"),
        ('{"format": "somebody-elses"}', "its format is 'somebody-elses'"),
        (
            '{"format": "dreamgate-checkpoint", "version": 2}',
            "version 2, this Dreamgate reads up to 1: use the version",
        ),
        ('{"format": "dreamgate-checkpoint", "version": 1}', "it does not match its own digest"),
        ('{"format": "dreamgate-checkpoint", "version": NaN}', "NaN is not JSON"),
    ],
)
def test_a_foreign_seal_says_what_is_wrong(path: Path, content: str, message: str) -> None:
    (path / SEAL).write_text(content, encoding="latin-1")
    with pytest.raises(CheckpointError, match=message):
        load(path)


def test_a_config_of_a_newer_version_says_so(path: Path) -> None:
    rewrite_seal(path, lambda seal: seal["config"]["algo"].update(flux=1))
    with pytest.raises(CheckpointError, match=r"does not know \(algo\.flux: unknown key.*\): use the version"):
        load(path)


def test_a_seal_that_lists_what_no_checkpoint_holds_is_refused(path: Path) -> None:
    (path / "run me.py").write_text("")
    rewrite_seal(path, lambda seal: None)
    with pytest.raises(CheckpointError, match="it lists what no checkpoint holds"):
        load(path)


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("", "it is not JSON"),
        ('{"path": "../../elsewhere", "sha256": "00"}', "it names '../../elsewhere', which is no checkpoint"),
        ('{"sha256": "00"}', "it names None, which is no checkpoint"),
        ('{"path": "step_000000000099", "sha256": "00"}', "names .*step_000000000099, which is gone"),
        ('{"path": "step_000000000010", "sha256": "00"}', r"it is not the one that .*last\.json means"),
    ],
)
def test_a_damaged_pointer_is_not_followed(path: Path, pointer: str, message: str) -> None:
    (path.parent / "last.json").write_text(pointer)
    with pytest.raises(CheckpointError, match=message):
        resolve(path.parent)


def test_the_best_checkpoint_cannot_be_exchanged_unnoticed(path: Path) -> None:
    mark_best(path.parent, path, 1.0, 10)
    shutil.rmtree(path)
    (other,) = save_steps(path.parent.parent / "other", 20)
    other.rename(path)
    with pytest.raises(CheckpointError, match=r"it is not the one that .*best\.json means"):
        load(path.parent / "best")
