"""Layers whose weights are drawn later, by `initialize`, from an explicit generator."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamer_core.config.tree import Recipe
from dreamer_core.models.activation import Stage
from dreamer_core.models.chain import run_chain
from dreamer_core.models.gather import OneHots


class Linear(nn.Linear):
    """`scale` marks an output layer; its meaning belongs to the recipe (see `initialize`)."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True, scale: float | None = None) -> None:
        self.scale = scale
        super().__init__(inputs, outputs, bias=bias)

    def reset_parameters(self) -> None:
        """Left to `initialize`: the constructor must not draw from global random state."""


class Conv2d(nn.Conv2d):
    def reset_parameters(self) -> None:
        """Left to `initialize`."""


class ConvTranspose2d(nn.ConvTranspose2d):
    def reset_parameters(self) -> None:
        """Left to `initialize`."""


class BlockLinear(nn.Module):
    """A block-diagonal linear layer: each group of outputs sees only its own group of inputs."""

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__()
        self.inputs, self.outputs, self.blocks = inputs, outputs, blocks
        self.weight = nn.Parameter(torch.empty(blocks, inputs // blocks, outputs // blocks))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, inputs) or already grouped (B, blocks, inputs / blocks), to (B, outputs)."""
        grouped = x if x.dim() == 3 else x.unflatten(-1, (self.blocks, -1))
        return torch.bmm(grouped.transpose(0, 1), self.weight).transpose(0, 1).flatten(-2) + self.bias


def by_pixel(images: Tensor) -> Tensor:
    """Images (N, C, H, W) with the channels of a pixel side by side in memory: convolutions on a CPU take half the time
    so, and norms over channels find them where they look."""
    return images.contiguous(memory_format=torch.channels_last)


class ChannelNorm(nn.Module):
    """Normalizes the channels of images (B, C, H, W) with a norm made for last dimensions."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return normed.permute(0, 3, 1, 2)


class RMSNorm(nn.RMSNorm):
    """In float32 whatever comes in, so that autocast cannot make a mean of squares overflow or vanish."""

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x.float(), self.normalized_shape, self.weight, self.eps)


class LayerNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x.float(), self.normalized_shape, self.weight, self.bias, self.eps)


class Chain(nn.Sequential):
    """Linear layers, each but perhaps the last with a norm and a SiLU."""

    def forward(self, x: Tensor, ones: OneHots | None = None) -> Tensor:
        """x (..., F). `ones` tells where the ones are in the one-hots that x starts with, where that is known."""
        if runs_by_hand(x):
            return run_chain(self.stages(), x, ones)
        out: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return out

    def stages(self) -> list[Stage]:
        layers = [part for part in self if not isinstance(part, nn.SiLU)]
        norms: list[nn.Module | None] = [*layers[1:], None]
        return [
            stage_of(layer.weight, layer.bias, norm)
            for layer, norm in zip(layers, norms, strict=True)
            if isinstance(layer, Linear)
        ]


def runs_by_hand(x: Tensor) -> bool:
    """On a CPU in full precision: a GPU has kernels of its own, and autocast works through modules."""
    return x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


def stage_of(weight: Tensor, bias: Tensor | None, norm: nn.Module | None) -> Stage:
    """A linear layer and, if that is what follows it, a norm with its SiLU."""
    if isinstance(norm, LayerNorm):
        return Stage(weight, bias, norm.weight, norm.bias, norm.eps)
    if isinstance(norm, RMSNorm):
        return Stage(weight, bias, norm.weight, None, norm.eps or 0.0)
    return Stage(weight, bias)


@dataclass(frozen=True)
class Style:
    """What differs between the recipes in every layer: the norm, its epsilon, and whether a normed layer has a bias."""

    recipe: Recipe
    eps: float

    @property
    def is_nature(self) -> bool:
        return self.recipe == "nature"

    def norm(self, size: int) -> nn.Module:
        return RMSNorm(size, eps=self.eps) if self.is_nature else LayerNorm(size, eps=self.eps)

    def linear(self, inputs: int, outputs: int) -> Linear:
        """A linear layer that a norm follows."""
        return Linear(inputs, outputs, bias=self.is_nature)


def mlp(style: Style, inputs: int, units: int, layers: int) -> Chain:
    """`layers` times linear, norm, SiLU."""
    parts: list[nn.Module] = []
    for layer in range(layers):
        parts += [style.linear(units if layer else inputs, units), style.norm(units), nn.SiLU()]
    return Chain(*parts)


def head(style: Style, inputs: int, units: int, layers: int, outputs: int, *, scale: float) -> Chain:
    """An MLP with an output layer."""
    return Chain(*mlp(style, inputs, units, layers), Linear(units, outputs, scale=scale))


def parameter_count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())
