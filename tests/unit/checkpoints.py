"""Small checkpoints for tests: every dtype, values that are easy to damage, and a state with everything JSON has."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dreamer_core.config import Config, load_config
from dreamer_core.training.checkpoint import Snapshot, save

CONFIG = load_config(preset="bandit+debug")


def a_snapshot(env_steps: int, *, config: Config = CONFIG, replay: bool = True, **state: Any) -> Snapshot:
    """Its tensors hold `env_steps`, so that one checkpoint cannot pass for another."""
    tensors: dict[str, dict[str, Tensor]] = {
        "agent": {"actor.weight": torch.full((3, 2), float(env_steps)), "moments.low": torch.tensor(-0.0)},
        "player": {"action": torch.tensor([env_steps, -1])},
    }
    if replay:
        tensors["replay"] = {"reward": torch.arange(4.0) + env_steps}
    return Snapshot(config=config, env_steps=env_steps, train_steps=env_steps // 4, tensors=tensors, state=state)


def save_steps(folder: Path, *steps: int, keep: int = 10) -> list[Path]:
    return [save(folder, a_snapshot(step), keep=keep) for step in steps]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def every_dtype() -> dict[str, Tensor]:
    awkward = [0.1, -0.0, math.inf, -math.inf, math.nan, 6e-8]  # 6e-8 has no normal form in float16
    floats = {
        str(dtype).removeprefix("torch."): torch.tensor(awkward, dtype=dtype)
        for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    }
    return {
        **floats,
        "int64": torch.tensor([2**63 - 1, -(2**63), 0]),
        "int32": torch.tensor([2**31 - 1, -(2**31)], dtype=torch.int32),
        "uint8": torch.arange(256, dtype=torch.uint8).view(16, 16),
        "bool": torch.tensor([[True], [False]]),
        "scalar": torch.tensor(3, dtype=torch.int64),
        "empty": torch.zeros(0, 5),
    }


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Equal also where values are NaN, and unequal where 0.0 meets -0.0."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    return torch.equal(as_bytes(left), as_bytes(right))


def as_bytes(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
