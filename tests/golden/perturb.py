"""Weights that hide nothing: a fresh model has zero heads and unit scales, and zeros make wrong code look right."""

import torch
from torch import Tensor, nn


def perturb(*modules: nn.Module, scale: float = 0.15) -> None:
    with torch.no_grad():
        for module in modules:
            for weight in module.parameters():
                weight.add_(scale * torch.randn_like(weight))


def peak(bias: Tensor, *, center: float = 0.0, width: float = 1.5) -> None:
    """Favor the two-hot bins around the middle one: spread over all of them, the mean would be of the order of 1e8.

    The tails stay above e^-22: their squared gradients must not underflow inside an optimizer.
    """
    bins = torch.arange(len(bias)) - (len(bias) - 1) / 2
    with torch.no_grad():
        bias.sub_((0.5 * ((bins - center) / width).square()).clamp(max=22))
