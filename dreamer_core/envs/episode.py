"""One environment's episode: all of its state is the episode's number and the actions so far."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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
    """What is known of the episode that an environment is in, from its first moment to its last."""

    def __init__(self, *, number: int, index: int) -> None:
        """`index` is the environment's place among the others, `number` counts its episodes."""
        self.number = number
        self.index = index
        self.actions: list[NDArray[np.generic]] = []
        self.return_ = 0.0
        self.terminated = self.is_last = False

    @property
    def is_first(self) -> bool:
        return not self.actions

    def advance(self, action: NDArray[np.generic], reward: float, *, terminated: bool, truncated: bool) -> None:
        self.actions.append(action)
        self.return_ += reward
        self.terminated, self.is_last = terminated, terminated or truncated

    def report(self, success_return: float | None) -> Episode:
        success = self.terminated if success_return is None else self.return_ >= success_return
        return Episode(self.index, len(self.actions), self.return_, self.terminated, success)
