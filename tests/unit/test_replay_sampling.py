"""Sequences are drawn evenly, deterministically, and read back exactly as pushed."""

import pytest
import torch

from dreamer_core.config.tree import ReplayConfig
from dreamer_core.replay.buffer import Replay
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.replay.sampling import Windows, draw, read, ready, sample
from dreamer_core.rng import make_generator
from tests.unit.replay_history import SPACES, History, make_ring, on_devices, push_all


def read_one(ring: ReplayRing, start: int, env: int, seq_len: int) -> dict[str, list[float]]:
    windows = Windows(torch.tensor([start], device=ring.device), torch.tensor([env], device=ring.device))
    batch = read(ring, windows, seq_len)
    names = ("reward", "is_first", "terminated", "truncated", "continues", "is_last", "time")
    return {name: getattr(batch, name)[:, 0].tolist() for name in names} | {
        "place": batch.obs["place"][:, 0, 0].tolist(),
        "action": batch.action[:, 0, 0].tolist(),
    }


@on_devices
def test_all_parts_of_a_row_belong_to_the_same_moment(device: str) -> None:
    ring = make_ring(num_envs=3, slots=5, device=device)
    push_all(ring, History(3), 8)
    assert read_one(ring, start=5, env=2, seq_len=3) == {
        "place": [5.0, 6.0, 7.0],
        "action": [2, 3, 4],  # (t + 2) % 5
        "reward": [205.0, 206.0, 207.0],
        "is_first": [False, False, False],
        "terminated": [False, False, False],
        "truncated": [False, False, False],
        "continues": [1.0, 1.0, 1.0],
        "is_last": [False, False, False],
        "time": [5, 6, 7],
    }


def test_windows_cross_from_one_episode_into_the_next() -> None:
    ring = make_ring(num_envs=1)
    push_all(ring, History(1, terminated={(3, 0)}), 7)
    window = read_one(ring, start=2, env=0, seq_len=4)
    assert window["is_first"] == [False, False, True, False]
    assert window["place"] == [2.0, 3.0, 4.0, 5.0]
    assert window["action"] == [2, -1, 4, 0]


def test_an_episode_continues_over_a_truncation_but_not_over_a_termination() -> None:
    ring = make_ring(num_envs=1)
    push_all(ring, History(1, truncated={(1, 0)}, terminated={(3, 0)}), 6)
    window = read_one(ring, start=0, env=0, seq_len=6)
    assert window["continues"] == [1.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    assert window["is_last"] == [False, True, False, True, False, False]


@on_devices
def test_batches_are_time_major_and_keep_their_types(device: str) -> None:
    ring = make_ring(num_envs=2, device=device)
    push_all(ring, History(2), 6)
    batch = sample(ring, 5, 3, make_generator(0, device))
    assert batch.obs["screen"].shape == (3, 5, 3, 4, 4)
    assert batch.obs["screen"].dtype == torch.uint8
    assert batch.obs["place"].shape == (3, 5, 2)
    assert batch.action.shape == (3, 5, 1)
    assert batch.action.dtype == torch.int32
    assert batch.reward.shape == batch.is_first.shape == batch.time.shape == (3, 5)
    assert batch.time.dtype == batch.env.dtype == torch.int64
    assert batch.context is None


@on_devices
def test_the_same_generator_state_draws_the_same_batch(device: str) -> None:
    ring = make_ring(num_envs=4, slots=50, device=device)
    push_all(ring, History(4), 60)
    first, second, other = (sample(ring, 16, 5, make_generator(seed, device)) for seed in (7, 7, 8))
    assert torch.equal(first.time, second.time)
    assert torch.equal(first.env, second.env)
    assert torch.equal(first.obs["screen"], second.obs["screen"])
    assert not torch.equal(first.time, other.time)


def test_sampling_leaves_global_randomness_alone() -> None:
    ring = make_ring()
    push_all(ring, History(2), 6)
    before = torch.get_rng_state()
    sample(ring, 4, 3, make_generator(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_every_readable_start_of_every_environment_is_drawn_and_no_other() -> None:
    ring = make_ring(num_envs=3, slots=6)
    push_all(ring, History(3), 9)
    windows = draw(ring, 3000, 2, make_generator(0))
    pairs = torch.stack([windows.start, windows.env], dim=1)
    drawn, count = pairs.unique(dim=0, return_counts=True)
    # Times 3 to 8 are stored, 3 is the head; a window of two starts at 4, 5, 6 or 7.
    assert drawn.tolist() == [[start, env] for start in (4, 5, 6, 7) for env in (0, 1, 2)]
    assert count.min() > 180  # 250 expected, standard deviation 15
    assert count.max() < 320


def test_a_batch_does_not_change_when_the_ring_moves_on() -> None:
    ring = make_ring(num_envs=1, slots=4)
    push_all(ring, History(1), 4)
    batch = sample(ring, 2, 3, make_generator(0))
    before = batch.reward.clone()
    push_all(ring, History(1), 4)
    assert torch.equal(batch.reward, before)


def test_sampling_too_early_says_what_is_missing() -> None:
    ring = make_ring(slots=12, commit_stride=4, safety_margin=1)
    push_all(ring, History(2), 7)
    assert ready(ring, 3)
    assert not ready(ring, 4)
    with pytest.raises(ValueError, match=r"sequences of 4 rows yet: 3 are readable .*7 written, 4 committed"):
        sample(ring, 1, 4, make_generator(0))


def test_replay_adds_the_context_rows_to_the_sequence() -> None:
    config = ReplayConfig(capacity=40, seq_len=4, batch_size=3)
    replay = Replay(config, SPACES, num_envs=2, context=1)
    history = History(2)
    for time in range(4):
        replay.add(history.rows(time), history.action(time))
    early = replay.ready
    replay.add(history.rows(4), history.action(4))
    assert (early, replay.ready) == (False, True)
    assert replay.sample(make_generator(0)).time.tolist() == [[0] * 3, [1] * 3, [2] * 3, [3] * 3, [4] * 3]
    assert len(replay) == 10
    assert replay.committed == 5
