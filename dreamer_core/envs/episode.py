"""One environment and the episode it is in: all of its state is the episode's number and the actions so far."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer_core.envs.base import Env


class Episode(NamedTuple):
    """A finished episode, as it is reported."""

    env: int
    length: int  # decisions of the agent
    return_: float
    terminated: bool
    success: bool


def episode_seed(seed: int, env: int, episode: int) -> int:
    """Depends on nothing else, so that any episode can be played again. 31 bits: every simulator takes those."""
    words = np.random.SeedSequence(entropy=seed, spawn_key=(env, episode)).generate_state(1)
    return int(words[0]) >> 1


class RunningEpisode:
    """The episode that an environment is in, from its first moment to its last."""

    def __init__(self, env: Env, *, seed: int, number: int, index: int) -> None:
        """`index` is the environment's place among the others, `number` counts its episodes."""
        self.env = env
        self.number = number
        self.index = index
        self.actions: list[NDArray[np.generic]] = []
        self.return_ = 0.0
        self.step = env.reset(episode_seed(seed, index, number))

    @property
    def is_first(self) -> bool:
        return not self.actions

    @property
    def is_last(self) -> bool:
        return self.step.terminated or self.step.truncated

    def advance(self, action: NDArray[np.generic]) -> None:
        self.step = self.env.step(action.copy())
        self.actions.append(action)
        self.return_ += self.step.reward

    def report(self, success_return: float | None) -> Episode:
        terminated = self.step.terminated
        success = terminated if success_return is None else self.return_ >= success_return
        return Episode(self.index, len(self.actions), self.return_, terminated, success)
