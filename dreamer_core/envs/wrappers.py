"""What can be put around any environment: repeated actions and a time limit."""

import numpy as np
from numpy.typing import NDArray

from dreamer_core.envs.base import Env
from dreamer_core.types import Spaces, Step


class ActionRepeat:
    """Take every action `repeat` times, or until the episode ends; rewards add up, the last observation is seen."""

    def __init__(self, env: Env, repeat: int) -> None:
        self.env = env
        self.repeat = repeat

    @property
    def spaces(self) -> Spaces:
        return self.env.spaces

    def reset(self, seed: int) -> Step:
        return self.env.reset(seed)

    def step(self, action: NDArray[np.generic]) -> Step:
        step = self.env.step(action)
        reward = step.reward
        for _ in range(self.repeat - 1):
            if step.terminated or step.truncated:
                break
            step = self.env.step(action)
            reward += step.reward
        return step._replace(reward=reward)

    def close(self) -> None:
        self.env.close()


class TimeLimit:
    """Stop watching after `max_steps` steps of `env`. That is a truncation: the world itself would have gone on."""

    def __init__(self, env: Env, max_steps: int) -> None:
        self.env = env
        self.max_steps = max_steps
        self._t = 0

    @property
    def spaces(self) -> Spaces:
        return self.env.spaces

    def reset(self, seed: int) -> Step:
        self._t = 0
        return self.env.reset(seed)

    def step(self, action: NDArray[np.generic]) -> Step:
        step = self.env.step(action)
        self._t += 1
        is_late = self._t >= self.max_steps
        return step._replace(truncated=not step.terminated and (step.truncated or is_late))

    def close(self) -> None:
        self.env.close()
