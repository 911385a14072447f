"""From the agent's actions in [-1, 1] to the bounds that a world has for its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.errors import ConfigError

Stretch = Callable[[NDArray[np.generic]], NDArray[Any]]


def stretch_to(low: NDArray[Any], high: NDArray[Any]) -> Stretch:
    """Straight from one range to the other, clipped. Both bounds are (A,)."""
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise ConfigError(
            "env.id", f"its actions range over {low} to {high}; finite bounds with low < high are needed to map [-1, 1]"
        )
    half = (high - low) / 2

    def stretch(action: NDArray[np.generic]) -> NDArray[Any]:
        clipped: NDArray[Any] = np.clip(low + (action.astype(np.float32) + 1.0) * half, low, high)
        return clipped

    return stretch
