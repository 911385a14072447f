"""Encoders: observations (T, B, ...) to one embedding (T, B, E)."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamer_core.config.model import EncoderConfig
from dreamer_core.models.distributions import symlog
from dreamer_core.models.image_chain import ImageChain
from dreamer_core.models.images import count_stages, joint_shape
from dreamer_core.models.layers import ChannelNorm, Conv2d, Style, by_pixel, mlp
from dreamer_core.models.packed import MAX_SHADE, unpack2
from dreamer_core.types import ObsSpec


class Encoder(nn.Module):
    """Images first, then vectors, side by side."""

    def __init__(
        self, config: EncoderConfig, style: Style, specs: Mapping[str, ObsSpec], *, vector_gain: float = 1.0
    ) -> None:
        super().__init__()
        images = {key: spec for key, spec in specs.items() if spec.kind != "vector"}
        vectors = {key: spec for key, spec in specs.items() if spec.kind == "vector"}
        self.image = ImageEncoder(config, style, images) if images else None
        self.vector = VectorEncoder(config, style, vectors, gain=vector_gain) if vectors else None
        self.size = sum(part.size for part in (self.image, self.vector) if part is not None)

    def forward(self, obs: Mapping[str, Tensor]) -> Tensor:
        parts = [part(obs) for part in (self.image, self.vector) if part is not None]
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)


class VectorEncoder(nn.Module):
    """The first norm would leave only the direction of the numbers: a 1 beside them (`append_one`) keeps their size."""

    def __init__(self, config: EncoderConfig, style: Style, specs: Mapping[str, ObsSpec], *, gain: float = 1.0) -> None:
        super().__init__()
        self.keys = tuple(specs)
        self.gain = gain
        self.append_one = config.append_one
        self.symlog_inputs = config.symlog_inputs
        inputs = sum(spec.shape[0] for spec in specs.values()) + int(config.append_one)
        self.net = mlp(style, inputs, config.dense_units, config.mlp_layers)
        self.size = config.dense_units

    def forward(self, obs: Mapping[str, Tensor]) -> Tensor:
        flat = torch.cat([obs[key].float() for key in self.keys], -1) * self.gain
        inputs = symlog(flat) if self.symlog_inputs else flat
        embedding: Tensor = self.net(F.pad(inputs, (0, 1), value=1.0) if self.append_one else inputs)
        return embedding


class ImageEncoder(nn.Module):
    def __init__(self, config: EncoderConfig, style: Style, specs: Mapping[str, ObsSpec]) -> None:
        super().__init__()
        self.specs = dict(specs)
        shape = joint_shape(specs)
        limit = len(config.cnn_stages) if style.is_nature else None
        stages = count_stages(shape.height, shape.width, limit)
        multipliers = config.cnn_stages[:stages] if style.is_nature else [2**i for i in range(stages)]
        depths = [config.cnn_channels_multiplier * m for m in multipliers]
        parts: list[nn.Module] = []
        for inputs, depth in zip([shape.channels, *depths[:-1]], depths, strict=True):
            parts += _stage(style, inputs, depth, config.cnn_kernel_size)
        self.net = ImageChain(*parts, nn.Flatten())
        self.size = depths[-1] * (shape.height >> stages) * (shape.width >> stages)

    def forward(self, obs: Mapping[str, Tensor]) -> Tensor:
        images = torch.cat([to_unit(obs[key], spec) - 0.5 for key, spec in self.specs.items()], -3)
        flat: Tensor = self.net(by_pixel(images.flatten(0, -4)))
        return torch.unflatten(flat, 0, images.shape[:-3])


class MaxPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.max_pool2d(x, 2)


def to_unit(image: Tensor, spec: ObsSpec) -> Tensor:
    """uint8 pixels, or packed shades, to floats in [0, 1]."""
    return unpack2(image).float() / MAX_SHADE if spec.kind == "packed2" else image.float() / 255.0


def _stage(style: Style, inputs: int, depth: int, kernel: int) -> list[nn.Module]:
    """Halve the image once: by pooling (nature) or by a stride (sheeprl)."""
    norm = ChannelNorm(style.norm(depth))
    if style.is_nature:
        return [Conv2d(inputs, depth, kernel, padding="same"), MaxPool(), norm, nn.SiLU()]
    return [Conv2d(inputs, depth, 4, stride=2, padding=1, bias=False), norm, nn.SiLU()]
