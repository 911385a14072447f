"""A checkpoint comes back bit for bit, is found by its names, and old ones go."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dreamer_core.config import load_config
from dreamer_core.errors import CheckpointError
from dreamer_core.runs.digest import sha256_of
from dreamer_core.training.checkpoint import Snapshot, load, mark_best, resolve, save
from dreamer_core.training.checkpoint_files import SEAL
from tests.unit.checkpoints import CONFIG, a_snapshot, every_dtype, names, same_bits, save_steps


def test_tensors_of_every_type_come_back_bit_for_bit(tmp_path: Path) -> None:
    saved = replace(a_snapshot(10), tensors={"agent": every_dtype(), "optimizers": {}})
    loaded = load(save(tmp_path, saved, keep=1))
    assert loaded.tensors.keys() == {"agent", "optimizers"}
    assert loaded.tensors["optimizers"] == {}
    assert loaded.tensors["agent"].keys() == every_dtype().keys()
    for name, tensor in every_dtype().items():
        assert same_bits(loaded.tensors["agent"][name], tensor), name


def test_config_counters_and_state_come_back(tmp_path: Path) -> None:
    config = load_config(["seed=5", "algo.optimizer.eps=1e-20"], preset="bandit+debug")
    state: dict[str, Any] = {
        "progress": {"seconds": 0.1, "since": None},
        "best": -math.inf,
        "rng": "AAEC/w==",
        "big": 2**62,
    }
    loaded = load(save(tmp_path, a_snapshot(10, config=config, **state), keep=1))
    assert (loaded.config, loaded.env_steps, loaded.train_steps) == (config, 10, 2)
    assert loaded.state == state


def test_views_and_tensors_that_share_memory_are_saved_by_their_values(tmp_path: Path) -> None:
    ring = torch.arange(12.0).view(6, 2)
    tensors = {"used": ring[:3], "column": ring[:, 1], "again": ring[:3], "wide": torch.ones(1).expand(4)}
    loaded = load(save(tmp_path, replace(a_snapshot(1), tensors={"replay": tensors}), keep=1))
    assert {name: tensor.tolist() for name, tensor in loaded.tensors["replay"].items()} == {
        "used": [[0, 1], [2, 3], [4, 5]],
        "column": [1, 3, 5, 7, 9, 11],
        "again": [[0, 1], [2, 3], [4, 5]],
        "wide": [1, 1, 1, 1],
    }


def test_training_on_what_was_loaded_does_not_change_the_checkpoint(tmp_path: Path) -> None:
    path = save(tmp_path, a_snapshot(10), keep=1)
    load(path).tensors["agent"]["actor.weight"].zero_()
    assert load(path).tensors["agent"]["actor.weight"].unique().tolist() == [10.0]


def test_only_the_groups_that_are_asked_for_are_read(tmp_path: Path) -> None:
    path = save(tmp_path, a_snapshot(10), keep=1)
    (path / "player.safetensors").write_bytes(b"damaged, but nobody looks")
    assert load(path, groups=["agent"]).tensors.keys() == {"agent"}
    with pytest.raises(CheckpointError, match=r"holds no critic\.safetensors; it holds agent\.safetensors, "):
        load(path, groups=["critic"])


@pytest.mark.parametrize(
    ("mode", "kind"), [("train", "full"), ("bootstrap", "world_model"), ("standing_still", "world_model")]
)
def test_it_says_whether_the_actor_was_trained(tmp_path: Path, mode: str, kind: str) -> None:
    config = load_config([f"mode={mode}"], preset="bandit+debug")
    path = save(tmp_path, a_snapshot(10, config=config), keep=1)
    seal = json.loads((path / SEAL).read_text())
    assert (seal["kind"], seal["recipe"], seal["format"]) == (kind, "nature", "dreamgate-checkpoint")
    assert load(path).kind == kind


def test_a_checkpoint_is_found_by_its_run_and_by_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    first, second = save_steps(folder, 10, 20)
    mark_best(folder, first, 7.5, 10)
    assert resolve(tmp_path) == resolve(folder) == resolve(tmp_path / "last") == resolve(folder / "last") == second
    assert resolve(tmp_path / "best") == resolve(folder / "best") == resolve(first) == first
    assert load(tmp_path / "best").env_steps == 10


def test_the_checkpoints_of_another_rank_are_found_too(tmp_path: Path) -> None:
    (path,) = save_steps(tmp_path / "ranks" / "1" / "checkpoints", 10)
    assert resolve(tmp_path / "ranks" / "1" / "checkpoints") == path


def test_what_is_no_checkpoint_says_what_to_give_instead(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    for path, message in [
        (tmp_path / "nowhere", "there is no such checkpoint; give a run, RUN/best, RUN/last or one folder"),
        (tmp_path / "notes.txt", r"is a file, a checkpoint is a folder; give .* \(\.pt, \.ckpt\) can run code"),
        (tmp_path, r"it has no checkpoint\.json, it holds notes\.txt, run; give a run"),
        (tmp_path / "run", "has no last checkpoint yet: wait until one has been saved"),
        (tmp_path / "run" / "best", "has no best checkpoint yet: wait until evaluation has chosen a best one"),
    ]:
        with pytest.raises(CheckpointError, match=message):
            resolve(path)


def test_the_newest_the_best_and_the_pinned_ones_are_kept(tmp_path: Path) -> None:
    paths = save_steps(tmp_path, 10, 20, 30)
    mark_best(tmp_path, paths[0], 1.0, 10)
    save(tmp_path, a_snapshot(40), keep=2, pin=[paths[1].name])
    assert names(tmp_path) == ["step_000000000010", "step_000000000020", "step_000000000030", "step_000000000040"]
    save(tmp_path, a_snapshot(50), keep=2)
    assert names(tmp_path) == ["step_000000000010", "step_000000000040", "step_000000000050"]
    save(tmp_path, a_snapshot(60), keep=1)
    assert names(tmp_path) == ["step_000000000010", "step_000000000060"]


def test_only_the_newest_checkpoint_keeps_its_replay(tmp_path: Path) -> None:
    first, second = save_steps(tmp_path, 10, 20)
    assert load(first).tensors.keys() == {"agent", "player"}
    assert load(second).tensors.keys() == {"agent", "player", "replay"}
    with pytest.raises(CheckpointError, match=r"replay\.safetensors cannot be read"):
        load(first, groups=["replay"])


def test_a_hash_that_names_a_checkpoint_stays_true_when_its_replay_goes(tmp_path: Path) -> None:
    (first,) = save_steps(tmp_path, 10)
    before = sha256_of(first / SEAL)
    save_steps(tmp_path, 20)
    assert sha256_of(first / SEAL) == before


def test_saving_again_at_the_same_step_replaces_the_checkpoint(tmp_path: Path) -> None:
    (first,) = save_steps(tmp_path, 10)
    mark_best(tmp_path, first, 2.5, 10)
    second = save(tmp_path, a_snapshot(10, note="later"), keep=3)
    assert load(tmp_path / "last").state == load(tmp_path / "best").state == {"note": "later"}
    assert names(tmp_path) == [second.name] == ["step_000000000010_2"]
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == {"path": second.name, "sha256": sha256_of(second / SEAL), "score": 2.5, "step": 10}
    save(tmp_path, a_snapshot(10, note="latest"), keep=3)
    assert names(tmp_path) == ["step_000000000010_3"]


def test_a_run_that_went_back_forgets_the_future_it_left(tmp_path: Path) -> None:
    save_steps(tmp_path, 10, 20, 30)
    save(tmp_path, a_snapshot(15), keep=10)
    assert names(tmp_path) == ["step_000000000010", "step_000000000015"]


def test_steps_beyond_twelve_digits_are_in_order(tmp_path: Path) -> None:
    save_steps(tmp_path, 999_999_999_999, 1_000_000_000_000, keep=1)
    assert names(tmp_path) == ["step_1000000000000"]


def test_everybody_who_may_read_the_state_may_read_the_tensors(tmp_path: Path) -> None:
    (path,) = save_steps(tmp_path, 10)
    assert {file.stat().st_mode for file in path.iterdir()} == {(path / SEAL).stat().st_mode}


def test_a_group_cannot_leave_the_folder(tmp_path: Path) -> None:
    outside = Snapshot(CONFIG, 1, 1, {"../outside": {"x": torch.zeros(1)}}, {})
    with pytest.raises(ValueError, match=r"named in small letters, got '\.\./outside'"):
        save(tmp_path / "checkpoints", outside, keep=1)
    assert names(tmp_path) == ["checkpoints"]
