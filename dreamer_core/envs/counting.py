"""A world that says where it is: every row can be checked by itself.

The observation holds the step of the episode, the number of the episode and the action that led here; the reward is
made of the same numbers. Whoever mixes up two rows of a stream of these is found out at once.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dreamer_core.schema import OBS_PACKED2_SHAPE
from dreamer_core.types import NO_ACTION, ActionSpec, ObsSpec, Spaces, Step

EPISODE_NUMBERS = 256  # what fits into one byte of an image

View = Literal["vector", "image", "packed2"]
OBS_KEYS: dict[View, str] = {"vector": "state", "image": "rgb", "packed2": "packed2"}

THREE_BUTTONS = ActionSpec(kind="discrete", sizes=(3,))


class Counting:
    """Episode number = seed modulo 256. After `length` steps an odd episode terminates and an even one is truncated.

    As a vector: (step, episode number, *last action), all actions NO_ACTION at the first row.
    As an image: the same numbers as bytes, each filling one horizontal band (NO_ACTION reads 255).
    """

    def __init__(
        self,
        *,
        view: View = "vector",
        action: ActionSpec = THREE_BUTTONS,
        image_shape: tuple[int, int, int] = (3, 64, 64),
        length: int = 8,
    ) -> None:
        self.length = length
        self.key = OBS_KEYS[view]
        shapes = {"vector": (2 + action.stored_width,), "image": image_shape, "packed2": OBS_PACKED2_SHAPE}
        self.spaces = Spaces(obs={self.key: ObsSpec(kind=view, shape=shapes[view])}, action=action)
        self._episode = 0
        self._t = 0

    def reset(self, seed: int) -> Step:
        self._episode = seed % EPISODE_NUMBERS
        self._t = 0
        return Step(self._look(np.full(self.spaces.action.stored_width, NO_ACTION)), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        self._t += 1
        is_over = self._t >= self.length
        is_odd = self._episode % 2 == 1
        return Step(self._look(action), counting_reward(self._t, action), is_over and is_odd, is_over and not is_odd)

    def close(self) -> None: ...

    def _look(self, last_action: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
        numbers = np.array([self._t, self._episode, *last_action], dtype=np.float32)
        spec = self.spaces.obs[self.key]
        return {self.key: numbers if spec.kind == "vector" else _paint(numbers, spec.shape)}


def counting_reward(t: int, last_action: NDArray[np.generic]) -> float:
    """The reward that arrives with step `t`: the step before the point, the action that led there behind it."""
    return t + 0.1 * float(np.sum(last_action.astype(np.float64)))


def _paint(numbers: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    height = shape[1]
    band = np.arange(height) * len(numbers) // height
    rows = numbers.astype(np.int64).astype(np.uint8)[band]
    return np.broadcast_to(rows[None, :, None], shape).copy()
