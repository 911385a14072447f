"""How beliefs are packed into the ring, and which of several writes to one row counts."""

import torch
from torch import Tensor


def pack_stoch(one_hot: Tensor, dtype: torch.dtype) -> Tensor:
    """(..., S, C) one-hot to (..., S) class numbers; all zeros (no belief) becomes C."""
    peak, index = one_hot.max(-1)
    return index.masked_fill(peak <= 0, one_hot.shape[-1]).to(dtype)


def unpack_stoch(index: Tensor, classes: int) -> Tensor:
    """(..., S) class numbers to (..., S, C) one-hot float32; C becomes all zeros."""
    return (index[..., None] == torch.arange(classes, device=index.device)).float()


def last_writes(cell: Tensor, is_alive: Tensor) -> tuple[Tensor, Tensor]:
    """The cells in ascending order and, for each, the position of the last alive write to that cell.

    Several writes to one cell all get the same position, so they store the same value, and the order in which a device
    carries them out does not matter. The position of a cell without an alive write is that of a dead one.
    """
    # Dead writes sort before alive ones; the sort is stable, so the last of a cell's run is the last alive write.
    key, order = torch.sort(cell * 2 + is_alive, stable=True)
    run = key // 2
    run_end = torch.searchsorted(run, run, right=True) - 1
    return run, order[run_end]
