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

_NO_LINEAR = torch.empty(0)  # of a stage only the norm is read here


class ImageChain(nn.Sequential):
    """The result is that of `nn.Sequential`, to rounding. Every `ChannelNorm` in it has a SiLU behind it."""

    def forward(self, x: Tensor) -> Tensor:
        if not runs_by_hand(x):
            out: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
            return out
        parts: Iterator[nn.Module] = iter(self)
        for part in parts:
            if isinstance(part, ChannelNorm):
                silu = next(parts, None)
                assert isinstance(silu, nn.SiLU), silu
                x = _normed_silu(x, part)
            else:
                x = part(x)
        return x


def _normed_silu(images: Tensor, norm: ChannelNorm) -> Tensor:
    """Images (N, C, H, W), best laid out `by_pixel`: others are copied once. What comes out is laid out so."""
    pixels = images.permute(0, 2, 3, 1)
    rows, stage = pixels.flatten(0, 2), stage_of(_NO_LINEAR, None, norm.norm)
    if torch.is_grad_enabled():
        out = _NormedSiLU.apply(rows, stage.gain, stage.shift, stage.eps)  # type: ignore[no-untyped-call]
    else:
        out = activate(rows, stage)
    return torch.unflatten(out, 0, pixels.shape[:-1]).permute(0, 3, 1, 2)


class _NormedSiLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, gain: Tensor, shift: Tensor | None, eps: float) -> Tensor:
        found = normalize(rows, Stage(_NO_LINEAR, None, gain, shift, eps))
        ctx.eps = eps
        ctx.save_for_backward(gain, shift, *found)
        return F.silu(found.scaled)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gain, shift, *found = ctx.saved_tensors
        return *deactivate(gradient, Normed(*found), Stage(_NO_LINEAR, None, gain, shift, ctx.eps)), None
