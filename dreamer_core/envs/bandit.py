"""The easiest world with something to learn: press the button that lights up."""

import numpy as np
from numpy.typing import NDArray

from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step


class Bandit:
    """One bit is shown, and pressing it pays 1. The best return is `length`, a random policy gets half of it."""

    def __init__(self, *, length: int = 16) -> None:
        self.length = length
        self.spaces = Spaces(
            obs={"state": ObsSpec(kind="vector", shape=(1,))}, action=ActionSpec(kind="discrete", sizes=(2,))
        )
        self._rng = np.random.default_rng(0)
        self._bit = 0
        self._t = 0

    def reset(self, seed: int) -> Step:
        self._rng = np.random.default_rng(seed)
        self._t = 0
        return Step(self._show(), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        reward = float(int(action[0]) == self._bit)
        self._t += 1
        return Step(self._show(), reward, False, self._t >= self.length)

    def close(self) -> None: ...

    def _show(self) -> dict[str, NDArray[np.generic]]:
        self._bit = int(self._rng.integers(2))
        return {"state": np.array([self._bit], dtype=np.float32)}
