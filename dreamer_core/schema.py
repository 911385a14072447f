"""The canonical tensor contracts, as constants and assertions. Imports no model."""

import torch
from torch import Tensor

OBS_PACKED2_DTYPE = torch.uint8
OBS_PACKED2_SHAPE = (1, 72, 20)
ACTION_DTYPE = torch.int32
REWARD_DTYPE = torch.float32
CONTINUE_DTYPE = torch.float32
EPISODE_ID_DTYPE = torch.int32

_INT_DTYPES = (torch.int32, torch.int64)


def assert_time_major(tensor: Tensor, name: str) -> None:
    """At least [T, B], neither of them empty."""
    if tensor.dim() < 2 or 0 in tensor.shape[:2]:
        raise ValueError(f"{name} must be time-major [T, B, ...] and not empty, got shape {tuple(tensor.shape)}")


def assert_packed2_obs(tensor: Tensor, name: str) -> None:
    assert_time_major(tensor, name)
    if tensor.dtype != OBS_PACKED2_DTYPE:
        raise ValueError(f"{name} must be {OBS_PACKED2_DTYPE}, got {tensor.dtype}")
    if tuple(tensor.shape[2:]) != OBS_PACKED2_SHAPE:
        raise ValueError(f"{name} must be [T, B, 1, 72, 20], got shape {tuple(tensor.shape)}")


def assert_float32(tensor: Tensor, name: str) -> None:
    if tensor.dtype != torch.float32:
        raise ValueError(f"{name} must be torch.float32, got {tensor.dtype}")


def assert_int(tensor: Tensor, name: str) -> None:
    if tensor.dtype not in _INT_DTYPES:
        raise ValueError(f"{name} must be int32 or int64, got {tensor.dtype}")
