"""A chain of convolutions in which a norm over channels and the SiLU behind it are one operation, with its gradient by
hand: autograd would go over every image twice as often."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dreamer_core.models.activation import Normed, Stage, activate, deactivate, normalize
from dreamer_core.models.layers import ChannelNorm, runs_by_hand, stage_of


class ImageChain(nn.Sequential):
    """The result is that of `nn.Sequential`, to rounding. Every `ChannelNorm` in it has a SiLU behind it."""

    def forward(self, x: Tensor) -> Tensor:
        if not runs_by_hand(x):
            out: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
            return out
        parts: Iterator[nn.Module] = iter(self)
        for part in parts:
            if isinstance(part, ChannelNorm):
                x = _normed_silu(x, part)
                next(parts)  # its SiLU
            else:
                x = part(x)
        return x


def _normed_silu(images: Tensor, norm: ChannelNorm) -> Tensor:
    """Images (N, C, H, W), laid out `by_pixel` as they come."""
    pixels = images.permute(0, 2, 3, 1)
    rows, stage = pixels.flatten(0, 2), stage_of(images, None, norm.norm)  # what makes the product is not its concern
    if torch.is_grad_enabled():
        out = _NormedSiLU.apply(rows, stage.gain, stage.shift, stage.eps)  # type: ignore[no-untyped-call]
    else:
        out = activate(rows, stage)
    return torch.unflatten(out, 0, pixels.shape[:-1]).permute(0, 3, 1, 2)


class _NormedSiLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, gain: Tensor, shift: Tensor | None, eps: float) -> Tensor:
        found = normalize(rows, Stage(rows, None, gain, shift, eps))
        ctx.eps = eps
        ctx.save_for_backward(gain, shift, *found)
        return F.silu(found.scaled)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gain, shift, *found = ctx.saved_tensors
        return *deactivate(gradient, Normed(*found), Stage(gradient, None, gain, shift, ctx.eps)), None
