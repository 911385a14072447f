"""Two-hot: a scalar as a categorical over fixed bins, so that learning does not depend on the scale of rewards.

Both recipes put the weight of a target on the two bins around it. `sheeprl` does so in symlog space over evenly spaced
bins; `nature` in raw space over bins spaced exponentially.
"""

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dreamer_core.models.distributions import symexp, symlog

LIMIT = 20.0


class TwoHot(Protocol):
    """How logits (..., bins) mean a number (...)."""

    bins: Tensor

    def mean(self, logits: Tensor) -> Tensor: ...

    def loss(self, logits: Tensor, target: Tensor, beside: tuple[Tensor, float] | None = None) -> Tensor:
        """Cross-entropy with the target, plus that with another one times a factor."""
        ...


class SymlogTwoHot:
    """The `sheeprl` form: average in symlog space, then symexp."""

    def __init__(self, count: int, device: torch.device | None = None) -> None:
        self.bins = torch.linspace(-LIMIT, LIMIT, count, device=device)

    def mean(self, logits: Tensor) -> Tensor:
        return symexp((logits.float().softmax(-1) * self.bins).sum(-1))

    def loss(self, logits: Tensor, target: Tensor, beside: tuple[Tensor, float] | None = None) -> Tensor:
        other = None if beside is None else (symlog(beside[0].detach().float()), beside[1])
        return two_hot_loss(logits, symlog(target.detach().float()), self.bins, other)


class SymexpTwoHot:
    """The `nature` form: average in raw space over bins that are symmetric about zero."""

    def __init__(self, count: int, device: torch.device | None = None) -> None:
        self.bins = symexp_bins(count, device)

    def mean(self, logits: Tensor) -> Tensor:
        # Bins come in pairs of opposite sign (a middle one is 0), so only the difference of each pair counts. Uniform
        # probabilities, as zero-initialized heads give them, then make exactly 0.
        probs, half = logits.float().softmax(-1), logits.shape[-1] // 2
        pairs = probs[..., -half:] - probs[..., :half].flip(-1)
        # Under autocast a product would be in bfloat16, and a value of 147.3 would become 147.
        with torch.autocast(logits.device.type, enabled=False):
            return pairs @ self.bins[-half:]

    def loss(self, logits: Tensor, target: Tensor, beside: tuple[Tensor, float] | None = None) -> Tensor:
        other = None if beside is None else (beside[0].detach().float(), beside[1])
        return two_hot_loss(logits, target.detach().float(), self.bins, other)


def symexp_bins(count: int, device: torch.device | None = None) -> Tensor:
    half = symexp(torch.linspace(-LIMIT, 0, (count + 1) // 2, device=device))
    return torch.cat([half, -(half[:-1] if count % 2 else half).flip(0)])


def two_hot_loss(logits: Tensor, target: Tensor, bins: Tensor, beside: tuple[Tensor, float] | None = None) -> Tensor:
    """Cross-entropy (...) of logits (..., bins) with the two-hot encoding of `target` (...).

    Reads the two bins that matter instead of building a dense target: the same number, a fraction of the memory.
    """
    at, weights = _encode(target, bins)
    if beside is not None:
        at_other, more = _encode(beside[0], bins)
        at, weights = torch.cat([at, at_other], -1), torch.cat([weights, beside[1] * more], -1)
    loss: Tensor = _SparseCrossEntropy.apply(logits.float(), at, weights)  # type: ignore[no-untyped-call]
    return loss


class _SparseCrossEntropy(torch.autograd.Function):
    """Its gradient is one scaled softmax with a few entries changed; autograd would add up several dense tensors."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, at: Tensor, weights: Tensor) -> Tensor:
        log_probs = logits.log_softmax(-1)
        ctx.save_for_backward(log_probs, at, weights)
        return -(log_probs.gather(-1, at) * weights).sum(-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        log_probs, at, weights = ctx.saved_tensors
        share = weights * gradient[..., None]
        to_logits = log_probs.exp().mul_(share.sum(-1, keepdim=True))
        return to_logits.scatter_add_(-1, at, share.neg_()), None, None


def _encode(target: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    """Both bins (..., 2) of each target, and their weights."""
    below, above, weight_above = two_hot_weights(target, bins)
    return torch.stack([below, above], -1), torch.stack([1 - weight_above, weight_above], -1)


def two_hot_weights(target: Tensor, bins: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The two bins around each target and the weight of the upper one. Beyond the ends both are the last bin."""
    last = len(bins) - 1
    upper = torch.searchsorted(bins, target.contiguous(), right=True)
    below, above = (upper - 1).clamp(0, last), upper.clamp(0, last)
    to_below, to_above = (bins[below] - target).abs(), (bins[above] - target).abs()
    same = (below == above) & ~target.isnan()  # NaN stays NaN, so that somebody notices
    weight_above = torch.where(same, torch.full_like(to_below, 0.5), to_below / (to_below + to_above))
    return below, above, weight_above
