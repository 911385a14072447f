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
    """SiLU of the norm of a product (N, U). Unlike `normalize` it keeps nothing, and writes over its own."""
    assert stage.gain is not None
    if stage.shift is not None:
        scaled = torch.native_layer_norm(product, [product.shape[-1]], stage.gain, stage.shift, stage.eps)[0]
    else:
        scaled = (product * inverse_rms(product, stage.eps)).mul_(stage.gain)
    return F.silu(scaled, inplace=True)


class Normed(NamedTuple):
    """What a norm makes of a product (N, U), and what its gradient needs of that."""

    scaled: Tensor
    kept: Tensor  # LayerNorm: the mean (N, 1). RMSNorm: the product before the gain (N, U)
    inverse: Tensor  # (N, 1): one over the spread or the RMS


def normalize(product: Tensor, stage: Stage) -> Normed:
    assert stage.gain is not None
    if stage.shift is not None:
        shape = [product.shape[-1]]
        return Normed(*torch.native_layer_norm(product, shape, stage.gain, stage.shift, stage.eps))
    rms = inverse_rms(product, stage.eps)
    normed = product * rms
    return Normed(normed * stage.gain, normed, rms)


class Back(NamedTuple):
    """The gradients of a product, a gain and a shift."""

    product: Tensor
    gain: Tensor
    shift: Tensor | None


def deactivate(gradient: Tensor, product: Tensor, stage: Stage, found: Normed | None = None) -> Back:
    """From the gradient of the activations (N, U). `found` is what `normalize` made, if it is known."""
    assert stage.gain is not None
    scaled, kept, inverse = found or normalize(product, stage)
    through = torch.ops.aten.silu_backward(gradient, scaled)
    if stage.shift is not None:
        normed = product, [product.shape[-1]], kept, inverse, stage.gain, stage.shift
        return Back(*torch.ops.aten.native_layer_norm_backward(through, *normed, [True, True, True]))
    weighted = through * kept
    along = torch.mv(weighted, stage.gain).div_(-product.shape[-1])[:, None]
    return Back(through.mul_(stage.gain).addcmul_(kept, along).mul_(inverse), weighted.sum(0), None)
