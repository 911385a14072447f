"""Small tensors that every step of a loop needs, made once."""

from functools import cache

import torch
from torch import Tensor


@cache
def constant(value: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A number as a tensor (): operators make one of a plain number each time. It is shared, so never write to it."""
    return torch.tensor(value, dtype=dtype, device=device)


@cache
def first_classes(variables: int, classes: int, device: torch.device) -> Tensor:
    """Where each of some variables has its first class, of one-hots laid side by side. Never write to it."""
    return torch.arange(0, variables * classes, classes, device=device)
