"""Playing vectors of environments at random, and comparing what they gave."""

import numpy as np
import torch
from torch import Tensor

from dreamer_core.envs.base import sample_action
from dreamer_core.envs.vector import VectorEnv
from dreamer_core.types import Rows


def random_actions(vector: VectorEnv, count: int, seed: int = 0) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    spec = vector.spaces.action
    return [
        torch.from_numpy(np.stack([sample_action(spec, rng) for _ in range(vector.num_envs)])) for _ in range(count)
    ]


def same_rows(one: Rows, other: Rows) -> bool:
    tensors = zip([*one.obs.values(), *one[1:]], [*other.obs.values(), *other[1:]], strict=True)
    return one.obs.keys() == other.obs.keys() and all(torch.equal(a, b) for a, b in tensors)
