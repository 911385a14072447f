"""What an environment is: one seed in, then actions in and moments out, and nothing hidden besides."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dreamer_core.types import ActionSpec, Spaces, Step


class Env(Protocol):
    """One environment. `envs.checker` says the same as an executable check.

    Everything it does follows from the seed of the last reset and the actions since then: exact resume replays those.
    A returned observation belongs to the caller, and no later call writes into it.
    """

    @property
    def spaces(self) -> Spaces: ...

    def reset(self, seed: int) -> Step:
        """Start an episode. Its first moment carries no reward and no flag."""
        ...

    def step(self, action: NDArray[np.generic]) -> Step:
        """`action` is int64 (K,), one index per discrete head, or float32 (A,) in [-1, 1].

        Terminated: the world ended. Truncated: somebody stopped watching. Never both.
        """
        ...

    def close(self) -> None: ...


def sample_action(spec: ActionSpec, rng: np.random.Generator) -> NDArray[np.generic]:
    if spec.is_continuous:
        return rng.uniform(-1.0, 1.0, spec.sizes[0]).astype(np.float32)
    return rng.integers(0, np.asarray(spec.sizes))
