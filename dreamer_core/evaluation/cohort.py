"""The fixed cohort: episode i always has the seed `seed_base + i`, whoever plays it and however many at once."""

from collections.abc import Sequence
from math import isfinite

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dreamer_core.envs.base import Env
from dreamer_core.errors import DreamgateError
from dreamer_core.rng import RandomSampler, Sampler, make_generator
from dreamer_core.types import ActionSpec, Rows


class CohortEpisode:
    """One environment in one episode. When the episode is over it stays at its last moment."""

    def __init__(self, env: Env, *, index: int, seed_base: int) -> None:
        self.env = env
        self.index = index
        self.seed = seed_base + index
        self.length = 0
        self.return_ = 0.0
        self.moment = env.reset(self.seed)

    @property
    def is_over(self) -> bool:
        return self.moment.terminated or self.moment.truncated

    def advance(self, action: NDArray[np.generic]) -> None:
        # A copy, because an environment may write into what it is given.
        self.moment = self.env.step(action.copy())
        self.length += 1
        self.return_ += self.moment.reward
        if not isfinite(self.moment.reward):
            raise DreamgateError(
                f"episode {self.index} (seed {self.seed}): the environment gave the reward {self.moment.reward} "
                f"at step {self.length}, and a return cannot be computed from that; check the environment"
            )


class SeparateSampler(Sampler):
    """Row i of every batch draws from generator i, so what an episode draws does not depend on its company."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.samplers = [RandomSampler(make_generator(seed, device)) for seed in seeds]

    def index(self, probs: Tensor) -> Tensor:
        rows = zip(self.samplers, probs.split(1), strict=True)
        return torch.cat([sampler.index(row) for sampler, row in rows])

    def normal_noise(self, like: Tensor) -> Tensor:
        rows = zip(self.samplers, like.split(1), strict=True)
        return torch.cat([sampler.normal_noise(row) for sampler, row in rows])


def stack_rows(episodes: Sequence[CohortEpisode]) -> Rows:
    """The moments that episodes are at, side by side. np.stack copies."""
    moments = [episode.moment for episode in episodes]
    return Rows(
        obs={key: torch.from_numpy(np.stack([moment.obs[key] for moment in moments])) for key in moments[0].obs},
        reward=torch.tensor([moment.reward for moment in moments], dtype=torch.float32),
        is_first=torch.tensor([episode.length == 0 for episode in episodes]),
        terminated=torch.tensor([moment.terminated for moment in moments]),
        truncated=torch.tensor([moment.truncated for moment in moments]),
    )


def to_numpy(actions: Tensor, spec: ActionSpec) -> NDArray[np.generic]:
    """Stored actions (N, K) as environments take them."""
    given: NDArray[np.generic] = actions.cpu().numpy().astype(np.float32 if spec.is_continuous else np.int64)
    return given
