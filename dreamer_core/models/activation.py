"""What follows a linear layer, norm and SiLU, with its gradient in closed form: 15 operators where autograd has 30."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Stage(NamedTuple):
    """A linear layer; where there is a `gain`, a norm and a SiLU follow. Without a `shift` the norm is RMSNorm."""

    weight: Tensor
    bias: Tensor | None
    gain: Tensor | None = None
    shift: Tensor | None = None
    eps: float = 0.0


def inverse_rms(x: Tensor, eps: float) -> Tensor:
    """(N, 1)."""
    rms: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
    return rms.div_(x.shape[-1]).add_(eps).rsqrt_()


def activate(product: Tensor, stage: Stage) -> Tensor:
    """SiLU of the norm of a product (N, U)."""
    assert stage.gain is not None
    if stage.shift is not None:
        scaled = torch.native_layer_norm(product, [product.shape[-1]], stage.gain, stage.shift, stage.eps)[0]
    else:
        scaled = (product * inverse_rms(product, stage.eps)).mul_(stage.gain)
    return F.silu(scaled, inplace=True)


class Back(NamedTuple):
    """The gradients of a product, a gain and a shift."""

    product: Tensor
    gain: Tensor
    shift: Tensor | None


def deactivate(gradient: Tensor, product: Tensor, stage: Stage) -> Back:
    """From the gradient of the activations (N, U)."""
    assert stage.gain is not None
    if stage.shift is not None:
        size = [product.shape[-1]]
        scaled, mean, rms = torch.native_layer_norm(product, size, stage.gain, stage.shift, stage.eps)
        through = torch.ops.aten.silu_backward(gradient, scaled)
        everything = [True, True, True]
        return Back(
            *torch.ops.aten.native_layer_norm_backward(
                through, product, size, mean, rms, stage.gain, stage.shift, everything
            )
        )
    rms = inverse_rms(product, stage.eps)
    normed = product * rms
    through = torch.ops.aten.silu_backward(gradient, normed * stage.gain)
    weighted = through * normed
    along = torch.mv(weighted, stage.gain).div_(-product.shape[-1])[:, None]
    return Back(through.mul_(stage.gain).addcmul_(normed, along).mul_(rms), weighted.sum(0), None)
