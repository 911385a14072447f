"""Draw sequences from the ring: every environment and every start alike, whatever happens inside the window.

Windows are not strict: they may cross from one episode into the next, which `is_first` tells the model. The cost is one
copy per field and does not depend on how full the ring is.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core import rng
from dreamer_core.replay.layout import OBS_PREFIX
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.types import Batch


class Windows(NamedTuple):
    """Where sequences start, one per entry of the batch."""

    start: Tensor  # (B,) int64, absolute times
    env: Tensor  # (B,) int64


def ready(ring: ReplayRing, seq_len: int) -> bool:
    """Can at least one sequence be read?"""
    return ring.end - ring.oldest >= seq_len


def sample(ring: ReplayRing, batch_size: int, seq_len: int, generator: torch.Generator) -> Batch:
    return read(ring, draw(ring, batch_size, seq_len, generator), seq_len)


def draw(ring: ReplayRing, batch_size: int, seq_len: int, generator: torch.Generator) -> Windows:
    if not ready(ring, seq_len):
        raise ValueError(
            f"replay cannot give sequences of {seq_len} rows yet: {ring.end - ring.oldest} are readable in each "
            f"environment ({ring.written} written, {ring.committed} committed, safety margin {ring.safety_margin}); "
            "collect more before sampling"
        )
    env = rng.randint(0, ring.num_envs, (batch_size,), generator)
    start = rng.randint(ring.oldest, ring.end - seq_len + 1, (batch_size,), generator)
    return Windows(start.to(ring.device), env.to(ring.device))


def read(ring: ReplayRing, windows: Windows, seq_len: int) -> Batch:
    """Copy whole sequences out, time-major, with the belief stored at their first rows."""
    time = windows.start + torch.arange(seq_len, device=ring.device)[:, None]  # (T, B)
    cell = ring.cells(time, windows.env)
    return Batch(
        obs={key: ring.gather(OBS_PREFIX + key, cell) for key in ring.spaces.obs},
        action=ring.gather("action", cell),
        reward=ring.gather("reward", cell),
        is_first=ring.gather("is_first", cell),
        terminated=ring.gather("terminated", cell),
        truncated=ring.gather("truncated", cell),
        context=ring.belief(cell[0]),
        time=time,
        env=windows.env,
    )
