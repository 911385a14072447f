"""The cell of the nature RSSM as plain arithmetic, with what does not depend on the recurrence taken out of it.

`NatureRSSM.advance` says what is computed. Here the layer that all blocks share is one product instead of eight over
copies of its input, and what the action contributes is known before the first step.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.activation import Normed, Stage, activate, normalize
from dreamer_core.models.gates import Gates, open_gates


class Cell(NamedTuple):
    deter: Stage  # the projection of the deterministic state
    stoch: Stage  # the projection of the stochastic state
    own: Tensor  # (blocks, D / blocks, D / blocks): what the hidden layer of each block reads of its own block
    shared: Tensor  # (2 U, D): what the hidden layers of all blocks read of both projections
    action: Tensor  # (U, D): what they read of the action's embedding
    bias: Tensor  # (D,)
    hidden: Stage  # its norm
    gates: Tensor  # (blocks, D / blocks, 3 D / blocks)
    gates_bias: Tensor  # (blocks, 1, 3 D / blocks), lowered


class Step(NamedTuple):
    """One step of the cell: what came out, and what its gradient needs."""

    deter: Tensor  # (B, D), the next one
    from_deter: Normed  # (B, U), of the projections
    from_stoch: Normed
    both: Tensor  # (B, 2 U), the projections after their SiLU
    normed: Normed  # (B, D), of the hidden layer
    hidden: Tensor  # (blocks, B, D / blocks)
    gates: Gates  # (blocks, B, D / blocks)


def advance(cell: Cell, deter: Tensor, from_deter: Tensor, from_stoch: Tensor, from_action: Tensor) -> Step:
    """`from_deter` and `from_stoch` (B, U) are the projections before their norms, `from_action` (B, D) is all that the
    hidden layer takes from the action."""
    grouped = by_block(deter, cell)
    projections = normalize(from_deter, cell.deter), normalize(from_stoch, cell.stoch)
    both = F.silu(torch.cat([normed.scaled for normed in projections], -1), inplace=True)
    product = torch.addmm(from_action, both, cell.shared)
    by_block(product, cell).baddbmm_(grouped, cell.own)
    normed = normalize(product, cell.hidden)
    hidden = by_block(F.silu(normed.scaled), cell)
    after, gates = open_gates(torch.baddbmm(cell.gates_bias, hidden, cell.gates), grouped)
    return Step(from_blocks(after), *projections, both, normed, hidden, gates)


class DreamedCell:
    """Steps of the cell without a gradient, for many rows.

    What lies between products goes over rows of D numbers, and not over D / blocks of them at a time.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.weights = cell.gates.chunk(3, -1)
        self.biases = [bias.flatten() for bias in cell.gates_bias.chunk(3, -1)]

    def advance(self, deter: Tensor, from_deter: Tensor, from_stoch: Tensor, from_action: Tensor) -> Tensor:
        """As the function `advance`: the next deterministic state (B, D). `from_action` is written over."""
        cell = self.cell
        both = torch.cat([activate(from_deter, cell.deter), activate(from_stoch, cell.stoch)], -1)
        product = from_action.addmm_(both, cell.shared)
        by_block(product, cell).baddbmm_(by_block(deter, cell), cell.own)
        hidden = by_block(activate(product, cell.hidden), cell)
        layers = zip(self.weights, self.biases, strict=True)
        reset, proposal, update = (self._gate(hidden, weight, bias) for weight, bias in layers)
        return torch.lerp(deter, proposal.mul_(reset.sigmoid_()).tanh_(), update.sigmoid_())

    def _gate(self, hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        product = bias.repeat(hidden.shape[1], 1)
        by_block(product, self.cell).baddbmm_(hidden, weight)
        return product


def by_block(x: Tensor, cell: Cell) -> Tensor:
    """(B, D) as (blocks, B, D / blocks), without a copy."""
    return torch.unflatten(x, -1, (len(cell.own), -1)).transpose(0, 1)


def from_blocks(x: Tensor) -> Tensor:
    """The other way round, as a copy."""
    return torch.flatten(x.transpose(0, 1), 1)
