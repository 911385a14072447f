"""A norm and the SiLU behind it, with their gradient in closed form: half of autograd's operators."""

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
    kept: Tensor  # (N, U). LayerNorm: the product itself. RMSNorm: the normed product, before the gain
    inverse: Tensor  # (N, 1): one over the spread or the RMS
    mean: Tensor | None = None  # (N, 1), of LayerNorm


def normalize(product: Tensor, stage: Stage) -> Normed:
    assert stage.gain is not None
    if stage.shift is not None:
        size = [product.shape[-1]]
        scaled, mean, inverse = torch.native_layer_norm(product, size, stage.gain, stage.shift, stage.eps)
        return Normed(scaled, product, inverse, mean)
    inverse = inverse_rms(product, stage.eps)
    normed = product * inverse
    return Normed(normed * stage.gain, normed, inverse)


class Back(NamedTuple):
    """The gradients of a product, a gain and a shift."""

    product: Tensor
    gain: Tensor
    shift: Tensor | None


def deactivate(gradient: Tensor, found: Normed, stage: Stage) -> Back:
    """From the gradient (N, U) of the SiLU's output; `found` is what `normalize` made."""
    to_scaled = torch.ops.aten.silu_backward(gradient, found.scaled)
    if stage.shift is not None:
        return through_layer_norm(to_scaled, found, stage)
    product, gain = through_rms(to_scaled, found, stage)
    return Back(product, gain.sum(0), None)


def through_rms(gradient: Tensor, found: Normed, stage: Stage) -> tuple[Tensor, Tensor]:
    """From the gradient of what comes out of the norm, which is written over: that of the product, and that of the gain
    row by row, as who has many moments adds them up at once."""
    assert stage.gain is not None
    weighted = gradient * found.kept
    along = torch.mv(weighted, stage.gain)[:, None]
    share = -1 / gradient.shape[-1]
    return gradient.mul_(stage.gain).addcmul_(found.kept, along, value=share).mul_(found.inverse), weighted


def through_layer_norm(gradient: Tensor, found: Normed, stage: Stage) -> Back:
    """From the gradient of what comes out of the norm."""
    assert found.mean is not None
    arguments = found.kept, [gradient.shape[-1]], found.mean, found.inverse, stage.gain, stage.shift
    return Back(*torch.ops.aten.native_layer_norm_backward(gradient, *arguments, [True, True, True]))
