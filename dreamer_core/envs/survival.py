"""A world that punishes by ending: one wrong button and it is over."""

import numpy as np
from numpy.typing import NDArray

from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step

BUTTONS = 2


class Survival:
    """The button to press is shown as a one-hot. Right pays 1 and life goes on, wrong pays 0 and terminates.

    Whoever lives for `length` steps is truncated, with a return of `length`; a random policy gets about 1.
    """

    def __init__(self, *, length: int = 16) -> None:
        self.length = length
        self.spaces = Spaces(
            obs={"state": ObsSpec(kind="vector", shape=(BUTTONS,))},
            action=ActionSpec(kind="discrete", sizes=(BUTTONS,)),
        )
        self._rng = np.random.default_rng(0)
        self._button = 0
        self._t = 0

    def reset(self, seed: int) -> Step:
        self._rng = np.random.default_rng(seed)
        self._t = 0
        return Step(self._show(), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        survived = int(action[0]) == self._button
        self._t += 1
        return Step(self._show(), float(survived), not survived, survived and self._t >= self.length)

    def close(self) -> None: ...

    def _show(self) -> dict[str, NDArray[np.generic]]:
        self._button = int(self._rng.integers(BUTTONS))
        return {"state": np.eye(BUTTONS, dtype=np.float32)[self._button]}
