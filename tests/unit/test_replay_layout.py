"""Replay knows its size before it allocates anything, and keeps to it."""

import os
from pathlib import Path

import pytest
import torch

from dreamer_core.config.tree import ReplayConfig
from dreamer_core.errors import ConfigError
from dreamer_core.replay.buffer import estimated_bytes
from dreamer_core.replay.layout import LatentShape, row_bytes, row_fields, time_slots
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.types import ActionSpec, ObsSpec, Spaces

CARTPOLE = Spaces(obs={"state": ObsSpec(kind="vector", shape=(4,))}, action=ActionSpec(kind="discrete", sizes=(2,)))
PIXELS = Spaces(
    obs={"screen": ObsSpec(kind="image", shape=(3, 64, 64))}, action=ActionSpec(kind="continuous", sizes=(6,))
)


def test_a_cartpole_row_is_31_bytes() -> None:
    assert row_bytes(CARTPOLE) == 4 * 4 + 4 + 4 + 3 + 4  # observation, action, reward, three flags, episode id


def test_a_pixel_row_keeps_one_byte_per_pixel() -> None:
    assert row_bytes(PIXELS) == 3 * 64 * 64 + 6 * 4 + 4 + 3 + 4


def test_beliefs_cost_half_precision_and_one_byte_per_variable() -> None:
    assert row_bytes(CARTPOLE, LatentShape(512, 32, 16)) - row_bytes(CARTPOLE) == 2 * 512 + 32


@pytest.mark.parametrize(("classes", "dtype"), [(255, torch.uint8), (256, torch.int16)])
def test_class_numbers_widen_when_a_byte_cannot_hold_them_and_none(classes: int, dtype: torch.dtype) -> None:
    assert row_fields(CARTPOLE, LatentShape(8, 2, classes))["latent/stoch"].dtype == dtype


def test_the_ring_is_bounded_by_rows_over_all_environments() -> None:
    assert time_slots(CARTPOLE, num_envs=4, capacity=103, max_bytes=10**9) == 25


def test_the_ring_is_bounded_by_bytes() -> None:
    assert time_slots(CARTPOLE, num_envs=4, capacity=10**6, max_bytes=1239) == 9
    assert time_slots(CARTPOLE, num_envs=4, capacity=10**6, max_bytes=1240) == 10


def test_the_ring_allocates_exactly_what_was_estimated_and_no_more_than_allowed() -> None:
    sizes = LatentShape(8, 2, 4)
    ring = ReplayRing(PIXELS, num_envs=1, capacity=10**6, max_bytes=100_000, latent_shape=sizes, window=4)
    config = ReplayConfig(capacity=10**6, max_bytes=100_000, seq_len=4)
    assert ring.size_bytes == estimated_bytes(config, PIXELS, num_envs=1, latent_shape=sizes)
    assert 100_000 - row_bytes(PIXELS, sizes) < ring.size_bytes <= 100_000


def test_too_few_bytes_for_one_sequence_say_how_many_are_needed() -> None:
    config = ReplayConfig(capacity=10**6, max_bytes=1000, seq_len=64)
    with pytest.raises(ConfigError, match=r"replay\.max_bytes: 1,000 bytes hold 16 moments .* set it to 4,030 or more"):
        estimated_bytes(config, CARTPOLE, num_envs=2)


def test_too_few_rows_for_one_sequence_say_how_many_are_needed() -> None:
    config = ReplayConfig(capacity=100, seq_len=64, commit_stride=4, safety_margin=2)
    # 64 to read, 1 head, up to 3 not committed yet, 2 kept away from the learner.
    with pytest.raises(ConfigError, match=r"replay\.capacity: 100 rows hold 50 moments .* set it to 140 or more"):
        estimated_bytes(config, CARTPOLE, num_envs=2)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's memory counter")
def test_an_empty_ring_on_the_cpu_takes_up_almost_no_memory() -> None:
    before = _resident_bytes()
    ring = ReplayRing(PIXELS, num_envs=1, capacity=10**6, max_bytes=2**30)
    assert ring.size_bytes > 0.99 * 2**30
    assert _resident_bytes() - before < 2**26


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
