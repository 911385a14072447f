"""The gates of both GRUs as plain arithmetic, with their gradient. `rssm.gated_update` says what is computed."""

from typing import NamedTuple

import torch
from torch import Tensor


class Gates(NamedTuple):
    """What the gradient needs of one step, (..., D)."""

    reset: Tensor
    proposal: Tensor  # before the reset gate
    candidate: Tensor
    update: Tensor


def lowered(bias: Tensor) -> Tensor:
    """The bias (..., 3 D) of what leads to the gates, with the 1 off that keeps a fresh cell from forgetting."""
    reset, proposal, update = bias.chunk(3, -1)
    return torch.cat([reset, proposal, update - 1], -1)


def open_gates(product: Tensor, before: Tensor) -> tuple[Tensor, Gates]:
    """The next state, from what leads to the three gates (..., 3 D), its bias `lowered`, and the state before."""
    reset, proposal, update = product.chunk(3, -1)
    reset, update = torch.sigmoid(reset), torch.sigmoid(update)
    candidate = (reset * proposal).tanh_()
    return torch.lerp(before, candidate, update), Gates(reset, proposal, candidate, update)


def back_through(gates: Gates, after: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """From the gradient of the next state to those of what led to the gates (..., 3 D) and of the state before."""
    kept = after * gates.update
    candidate = torch.ops.aten.tanh_backward(kept, gates.candidate)
    reset = torch.ops.aten.sigmoid_backward(candidate * gates.proposal, gates.reset)
    update = torch.ops.aten.sigmoid_backward(after * (gates.candidate - before), gates.update)
    return torch.cat([reset, candidate.mul_(gates.reset), update], -1), after - kept
