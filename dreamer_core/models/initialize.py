"""Initial weights, drawn from one generator in module order.

nature: truncated normal by fan-in; `scale` of an output layer multiplies it.
sheeprl: truncated normal by the mean of fan-in and fan-out; output layers uniform by `scale` (Hafner initialization).
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from dreamer_core.models.layers import BlockLinear, Conv2d, ConvTranspose2d, Linear

# Standard deviation of a standard normal cut off at two standard deviations.
TRUNCATED_STD = 0.87962566103423978


@torch.no_grad()
def initialize_nature(module: nn.Module, generator: torch.Generator) -> None:
    for layer in _weighted(module):
        if isinstance(layer, BlockLinear):
            fan_in, scale = layer.inputs, 1.0  # the whole input, as the reference does, not the block's share
        else:
            fan_in, _ = _fans(layer)
            scale = layer.scale if isinstance(layer, Linear) and layer.scale is not None else 1.0
        if scale == 0:
            layer.weight.zero_()
        else:
            _trunc_normal(layer.weight, 1.0, 2.0, generator)
            layer.weight.mul_(scale / (TRUNCATED_STD * math.sqrt(fan_in)))
        _zero_bias(layer)


@torch.no_grad()
def initialize_sheeprl(module: nn.Module, generator: torch.Generator, *, hafner: bool) -> None:
    for layer in _weighted(module):
        fan_in, fan_out = _fans(layer)
        fan = (fan_in + fan_out) / 2
        scale = layer.scale if isinstance(layer, Linear) and hafner else None
        if scale is None:
            std = math.sqrt(1 / fan) / TRUNCATED_STD
            # The reference cuts convolutions off at 2, not at two deviations: in effect not at all.
            _trunc_normal(layer.weight, std, 2 * std if isinstance(layer, Linear) else 2.0, generator)
        else:
            limit = math.sqrt(3 * scale / fan)
            layer.weight.uniform_(-limit, limit, generator=generator)
        _zero_bias(layer)


Weighted = Linear | Conv2d | ConvTranspose2d | BlockLinear


def _weighted(module: nn.Module) -> Iterator[Weighted]:
    for layer in module.modules():
        if isinstance(layer, Weighted):
            yield layer


def _fans(layer: Weighted) -> tuple[int, int]:
    if isinstance(layer, BlockLinear):
        return layer.inputs, layer.outputs
    if isinstance(layer, Linear):
        return layer.in_features, layer.out_features
    space = layer.kernel_size[0] * layer.kernel_size[1]
    return space * layer.in_channels, space * layer.out_channels


def _trunc_normal(weight: Tensor, std: float, limit: float, generator: torch.Generator) -> None:
    nn.init.trunc_normal_(weight, std=std, a=-limit, b=limit, generator=generator)


def _zero_bias(layer: Weighted) -> None:
    if layer.bias is not None:
        layer.bias.zero_()
