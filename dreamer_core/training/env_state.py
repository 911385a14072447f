"""The environments' part of a checkpoint, as plain tensors: episode numbers and the actions since each began."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from dreamer_core.envs.vector import EnvSnapshot

_FIELDS = ("episode", "length", "return_", "actions")


def env_to_tensors(snapshot: EnvSnapshot) -> dict[str, Tensor]:
    arrays = {name: torch.from_numpy(np.ascontiguousarray(getattr(snapshot, name))) for name in _FIELDS}
    return {"env.seed": torch.tensor(snapshot.seed), **{f"env.{name}": value for name, value in arrays.items()}}


def env_from_tensors(tensors: Mapping[str, Tensor]) -> EnvSnapshot:
    return EnvSnapshot(
        seed=int(tensors["env.seed"].item()),
        episode=tensors["env.episode"].cpu().numpy(),
        length=tensors["env.length"].cpu().numpy(),
        return_=tensors["env.return_"].cpu().numpy(),
        actions=tensors["env.actions"].cpu().numpy(),
    )
