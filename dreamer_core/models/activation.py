"""What follows a linear layer, norm and SiLU, with its gradient in closed form: 15 operators where autograd has 30."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.constants import constant


class Stage(NamedTuple):
    """A linear layer; where there is a `gain`, a norm and a SiLU follow. Without a `shift` the norm is RMSNorm."""

    weight: Tensor
    bias: Tensor | None
    gain: Tensor | None = None
    shift: Tensor | None = None
    eps: float = 0.0


def inverse_rms(x: Tensor, eps: float) -> Tensor:
    """(N, 1)."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return torch.addcmul(constant(eps, norm.dtype, norm.device), norm, norm, value=1 / x.shape[-1]).rsqrt_()


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
    kept: Tensor  # LayerNorm: the product. RMSNorm: the product before the gain
    inverse: Tensor  # (N, 1): one over the spread or the RMS
    mean: Tensor | None = None  # (N, 1), of LayerNorm


def normalize(product: Tensor, stage: Stage) -> Normed:
    assert stage.gain is not None
    if stage.shift is not None:
        size = [product.shape[-1]]
        scaled, mean, inverse = torch.native_layer_norm(product, size, stage.gain, stage.shift, stage.eps)
        return Normed(scaled, product, inverse, mean)
    rms = inverse_rms(product, stage.eps)
    normed = product * rms
    return Normed(normed * stage.gain, normed, rms)


class Back(NamedTuple):
    """The gradients of a product, a gain and a shift."""

    product: Tensor
    gain: Tensor
    shift: Tensor | None


def deactivate(gradient: Tensor, found: Normed, stage: Stage) -> Back:
    """From the gradient of the activations (N, U) of what `normalize` found."""
    if stage.shift is None:
        product, weighted = through_rms(gradient, found, stage)
        return Back(product, weighted.sum(0), None)
    return through_layer_norm(torch.ops.aten.silu_backward(gradient, found.scaled), found, stage)


def through_rms(gradient: Tensor, found: Normed, stage: Stage) -> tuple[Tensor, Tensor]:
    """The gradients of the product, and of the gain row by row: who has many moments adds them all up at once."""
    assert stage.gain is not None
    through = torch.ops.aten.silu_backward(gradient, found.scaled)
    weighted = through * found.kept
    along = torch.mv(weighted, stage.gain)[:, None]
    share = -1 / gradient.shape[-1]
    return through.mul_(stage.gain).addcmul_(found.kept, along, value=share).mul_(found.inverse), weighted


def through_layer_norm(gradient: Tensor, found: Normed, stage: Stage) -> Back:
    """From the gradient of what comes out of the norm, before a SiLU."""
    assert found.mean is not None
    normed = found.kept, [gradient.shape[-1]], found.mean, found.inverse, stage.gain, stage.shift
    return Back(*torch.ops.aten.native_layer_norm_backward(gradient, *normed, [True, True, True]))
