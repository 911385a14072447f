"""Many tensors as one, so that one operator, or one message, serves them all."""

from collections.abc import Sequence

import torch
from torch import Tensor


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """A copy of all, one after the other."""
    return torch.cat([tensor.flatten() for tensor in tensors])


def split(flat: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """The other way round, as views."""
    parts = flat.split([tensor.numel() for tensor in like])
    return [part.view_as(tensor) for part, tensor in zip(parts, like, strict=True)]
