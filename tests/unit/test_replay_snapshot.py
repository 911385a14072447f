"""A restored replay goes on exactly where the saved one stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamer_core.config.tree import ReplayConfig
from dreamer_core.errors import CheckpointError
from dreamer_core.replay.buffer import Replay
from dreamer_core.replay.layout import LatentShape
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.replay.snapshot import restore, state, to_tensors
from dreamer_core.rng import make_generator
from dreamer_core.types import ActionSpec, Batch
from tests.unit.replay_history import LATENTS, SPACES, History, make_ring, on_devices, push_all

CONFIG = ReplayConfig(capacity=40, seq_len=3, batch_size=4, commit_stride=2, safety_margin=1, online=True)
HISTORY = History(2, terminated={(4, 0), (29, 1)}, truncated={(9, 1), (30, 0)})


def make_replay(device: str = "cpu", latent_shape: LatentShape | None = LATENTS) -> Replay:
    return Replay(CONFIG, SPACES, num_envs=2, device=device, latent_shape=latent_shape)


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in tensors.items()}


def flat(batch: Batch) -> list[Tensor]:
    context = batch.context or ()
    return [*batch.obs.values(), *context, *(part for part in batch if isinstance(part, Tensor))]


@on_devices
@pytest.mark.parametrize("pushes", [12, 20, 33])
def test_a_restored_replay_draws_the_batches_that_the_saved_one_draws(device: str, pushes: int) -> None:
    saved, resumed = make_replay(device), make_replay(device)
    push_all(saved.ring, HISTORY, pushes)
    saved.sample(make_generator(1, device))  # some of the online queue is gone
    resumed.restore(copied(saved.tensors()), saved.state())
    left, right = make_generator(2, device), make_generator(2, device)
    for _ in range(10):
        assert all(
            torch.equal(a, b) for a, b in zip(flat(saved.sample(left)), flat(resumed.sample(right)), strict=True)
        )
        for replay in (saved, resumed):
            push_all(replay.ring, HISTORY, 3)
    assert all(torch.equal(saved.ring.storage[name], tensor) for name, tensor in resumed.tensors().items())
    resumed.ring.check_invariants()


def test_a_snapshot_survives_a_safetensors_file(tmp_path: Path) -> None:
    saved, resumed = make_replay(), make_replay()
    push_all(saved.ring, HISTORY, 25)
    save_file(saved.tensors(), tmp_path / "replay.safetensors")
    resumed.restore(load_file(tmp_path / "replay.safetensors"), saved.state())
    first, second = saved.sample(make_generator(0)), resumed.sample(make_generator(0))
    assert all(torch.equal(a, b) for a, b in zip(flat(first), flat(second), strict=True))


def test_an_empty_replay_can_be_saved_and_restored() -> None:
    saved, resumed = make_replay(), make_replay()
    resumed.restore(copied(saved.tensors()), saved.state())
    push_all(resumed.ring, HISTORY, 5)
    resumed.ring.check_invariants()


def test_only_the_slots_in_use_are_saved() -> None:
    ring = make_ring(num_envs=2, slots=20)
    push_all(ring, HISTORY, 7)
    assert {len(tensor) for tensor in to_tensors(ring).values()} == {7}
    push_all(ring, HISTORY, 20)
    assert {len(tensor) for tensor in to_tensors(ring).values()} == {20}


def test_counters_are_plain_integers() -> None:
    replay = make_replay()
    push_all(replay.ring, HISTORY, 7)
    replay.sample(make_generator(0))
    # Rows 0 to 4 are readable, so one sequence of each environment has left the queue.
    assert replay.state() == {"written": 7, "slots": 20, "num_envs": 2, "online_taken": 2}
    assert {type(value) for value in replay.state().values()} == {int}


def test_an_episode_cut_off_by_the_resume_is_truncated() -> None:
    saved, resumed = make_ring(num_envs=2), make_ring(num_envs=2)
    push_all(saved, History(2), 3)
    restore(resumed, copied(to_tensors(saved)), state(saved))
    resumed.push(History(2).rows(0), History(2).action(0))
    assert resumed.storage["truncated"][2].tolist() == [True, True]
    assert resumed.storage["episode_id"][3].tolist() == [1, 1]
    resumed.check_invariants()


def other_rings() -> dict[str, ReplayRing]:
    continuous = replace(SPACES, action=ActionSpec(kind="continuous", sizes=(1,)))
    fewer = replace(SPACES, obs={"place": SPACES.obs["place"]})
    return {
        r"has slots = 8, this run has 9": make_ring(num_envs=2, slots=9),
        r"has num_envs = 2, this run has 4": make_ring(num_envs=4, slots=8),
        r"action is torch.int32 \(5, 2, 1\), expected torch.float32 \(5, 2, 1\)": make_ring(spaces=continuous),
        r"this run keeps \['action', 'episode_id', 'is_first', 'obs/place', 'reward'": make_ring(spaces=fewer),
        r"this run keeps .*'latent/deter'": make_ring(latent_shape=LATENTS),
    }


def test_a_snapshot_of_another_ring_is_refused_and_changes_nothing() -> None:
    saved = make_ring(num_envs=2, slots=8)
    push_all(saved, HISTORY, 5)
    for message, ring in other_rings().items():
        with pytest.raises(CheckpointError, match=message):
            restore(ring, to_tensors(saved), state(saved))
        assert ring.written == 0


def test_damaged_counters_are_refused() -> None:
    saved = make_replay()
    push_all(saved.ring, HISTORY, 5)
    tensors, counters = saved.tensors(), saved.state()
    with pytest.raises(CheckpointError, match=r"obs/place is torch.float32 \(5, 2, 2\), expected .* \(6, 2, 2\)"):
        make_replay().restore(tensors, {**counters, "written": 6})
    with pytest.raises(CheckpointError, match="None rows were written"):
        make_replay().restore(tensors, {name: counters[name] for name in ("slots", "num_envs", "online_taken")})
    with pytest.raises(CheckpointError, match="online queue"):
        make_replay().restore(tensors, {name: counters[name] for name in ("slots", "num_envs", "written")})
