"""The values that the parts of the core hand to each other, and the legend of shape letters.

Shapes, used in every comment of this package:
    T time   B batch   N environments   A action size   K action heads   E embedding
    D deterministic state   S stochastic variables   C classes per variable   F features = D + S * C   H horizon

One row is one moment. Row t holds the observation o_t, the reward and flags that arrived with it, and the action a_t
that was chosen after seeing it. An episode of n steps has n + 1 rows; the last one has no action.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ActionKind = Literal["discrete", "multi_discrete", "continuous"]

# Stored where a row has no action: the last row of an episode. One-hot encodes it as all zeros.
NO_ACTION = -1


@dataclass(frozen=True, kw_only=True)
class ObsSpec:
    """One observation: `vector` (n,), `image` (channels, height, width) uint8, or `packed2` (1, 72, 20) uint8."""

    kind: Literal["vector", "image", "packed2"]
    shape: tuple[int, ...]

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32 if self.kind == "vector" else torch.uint8

    @property
    def size_bytes(self) -> int:
        return int(np.prod(self.shape)) * (4 if self.kind == "vector" else 1)


@dataclass(frozen=True, kw_only=True)
class ActionSpec:
    """`sizes` are the choices of each discrete head, or one entry: the number of continuous actions in [-1, 1]."""

    kind: ActionKind
    sizes: tuple[int, ...]

    @property
    def is_continuous(self) -> bool:
        return self.kind == "continuous"

    @property
    def width(self) -> int:
        """A: the size of an action as the models see it (one-hots side by side, or the continuous vector)."""
        return sum(self.sizes)

    @property
    def stored_width(self) -> int:
        """How many numbers replay keeps per action: one index per discrete head, or the continuous vector."""
        return self.sizes[0] if self.is_continuous else len(self.sizes)


@dataclass(frozen=True, kw_only=True)
class Spaces:
    obs: Mapping[str, ObsSpec]
    action: ActionSpec


class Step(NamedTuple):
    """What one environment says at one moment."""

    obs: dict[str, NDArray[np.generic]]
    reward: float
    terminated: bool
    truncated: bool


class Rows(NamedTuple):
    """One moment of N environments side by side, as the driver sees it (torch, on the CPU)."""

    obs: dict[str, Tensor]  # (N, ...)
    reward: Tensor  # (N,) float32
    is_first: Tensor  # (N,) bool
    terminated: Tensor  # (N,) bool
    truncated: Tensor  # (N,) bool

    @property
    def is_last(self) -> Tensor:
        return self.terminated | self.truncated


class State(NamedTuple):
    """What the agent believes about the world."""

    deter: Tensor  # (..., D)
    stoch: Tensor  # (..., S, C), one-hot

    @property
    def features(self) -> Tensor:
        """The view that every head reads, (..., S * C + D)."""
        return torch.cat([self.stoch.flatten(-2), self.deter], dim=-1)

    def detach(self) -> "State":
        return State(self.deter.detach(), self.stoch.detach())


class Batch(NamedTuple):
    """Sequences drawn from replay, time-major."""

    obs: dict[str, Tensor]  # (T, B, ...)
    action: Tensor  # (T, B, stored width): the action chosen at the row, not the one that led to it
    reward: Tensor  # (T, B) float32
    is_first: Tensor  # (T, B) bool
    terminated: Tensor  # (T, B) bool
    truncated: Tensor  # (T, B) bool
    context: State | None  # the stored belief at the first row, when replay keeps beliefs
    time: Tensor  # (T, B) int64: absolute row numbers, to write beliefs back
    env: Tensor  # (B,) int64: the environment each sequence came from

    @property
    def continues(self) -> Tensor:
        """1 where the episode may go on; 0 only where it terminated. A time limit is not an end."""
        return 1.0 - self.terminated.float()

    @property
    def is_last(self) -> Tensor:
        return self.terminated | self.truncated
