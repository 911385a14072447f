"""Decoders: latent features (T, B, F) back to observations, and the loss against the real ones."""

import math
from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from dreamer_core.config.model import DecoderConfig
from dreamer_core.errors import ConfigError
from dreamer_core.models.distributions import (
    SYMLOG_TOLERANCE,
    squared_error,
    symexp,
    symlog_squared_error,
)
from dreamer_core.models.doubling import DoublingConv2d
from dreamer_core.models.encoder import to_unit
from dreamer_core.models.image_chain import ImageChain
from dreamer_core.models.images import ImageShape, count_stages, image_shape, joint_shape
from dreamer_core.models.layers import BlockLinear, ChannelNorm, ConvTranspose2d, Linear, Style, by_pixel, mlp
from dreamer_core.types import ObsSpec


class LatentSizes:
    """How the features are laid out: the stochastic part first, then the deterministic one."""

    def __init__(self, stoch: int, deter: int) -> None:
        self.stoch, self.deter = stoch, deter

    @property
    def features(self) -> int:
        return self.stoch + self.deter


class Decoder(nn.Module):
    def __init__(
        self,
        config: DecoderConfig,
        style: Style,
        specs: Mapping[str, ObsSpec],
        sizes: LatentSizes,
        *,
        vector_gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.specs = dict(specs)
        self.style = style
        self.vector_gain = vector_gain
        images = {key: spec for key, spec in specs.items() if spec.kind != "vector"}
        vectors = {key: spec for key, spec in specs.items() if spec.kind == "vector"}
        self.image = _image_decoder(config, style, images, sizes) if images else None
        self.vector = VectorDecoder(config, style, vectors, sizes.features) if vectors else None

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Predictions in the space they are learned in: centred or unit pixels, symlog vectors."""
        predictions: dict[str, Tensor] = {}
        for part in (self.image, self.vector):
            if part is not None:
                predictions |= part(features)
        return predictions

    def loss(self, predictions: Mapping[str, Tensor], obs: Mapping[str, Tensor]) -> Tensor:
        """(T, B): squared errors summed over each observation and over the observations."""
        losses = [self._loss_of(key, predictions[key], obs[key]) for key in predictions]
        return torch.stack(losses).sum(0) if len(losses) > 1 else losses[0]

    def reconstruct(self, features: Tensor) -> dict[str, Tensor]:
        """Predictions in the space of the observations: pixels in [0, 1], vectors as they are."""
        offset = 0.0 if self.style.is_nature else 0.5
        return {
            key: symexp(value) / self.vector_gain if self.specs[key].kind == "vector" else (value + offset).clamp(0, 1)
            for key, value in self(features).items()
        }

    def _loss_of(self, key: str, prediction: Tensor, obs: Tensor) -> Tensor:
        spec = self.specs[key]
        if spec.kind == "vector":
            target = obs.float() * self.vector_gain
            return symlog_squared_error(prediction, target, 0.0 if self.style.is_nature else SYMLOG_TOLERANCE)
        return squared_error(prediction, to_unit(obs, spec) - (0.0 if self.style.is_nature else 0.5), 3)


class VectorDecoder(nn.Module):
    def __init__(self, config: DecoderConfig, style: Style, specs: Mapping[str, ObsSpec], inputs: int) -> None:
        super().__init__()
        self.keys = tuple(specs)
        self.net = mlp(style, inputs, config.dense_units, config.mlp_layers)
        self.heads = nn.ModuleList(Linear(config.dense_units, spec.shape[0], scale=1.0) for spec in specs.values())

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        hidden = self.net(features)
        return {key: head(hidden) for key, head in zip(self.keys, self.heads, strict=True)}


class NatureImageDecoder(nn.Module):
    """Projects to a small map, then doubles it stage by stage: a convolution over repeated pixels, norm, SiLU."""

    def __init__(self, config: DecoderConfig, style: Style, specs: Mapping[str, ObsSpec], sizes: LatentSizes) -> None:
        super().__init__()
        self.specs, self.sizes = dict(specs), sizes
        shape = joint_shape(specs)
        stages = count_stages(shape.height, shape.width, len(config.cnn_stages))
        depths = [config.cnn_channels_multiplier * m for m in config.cnn_stages[:stages]]
        self.small = ImageShape(depths[-1], shape.height >> stages, shape.width >> stages)
        self._make_projection(config, style)
        self.project_norm = ImageChain(ChannelNorm(style.norm(depths[-1])), nn.SiLU())
        # Numbered as when each doubling was a part of its own, so that checkpoints of then can be read.
        parts, kernel = OrderedDict[str, nn.Module](), config.cnn_kernel_size
        for stage, (inputs, outputs) in enumerate(pairwise(reversed(depths))):
            conv, norm = DoublingConv2d(inputs, outputs, kernel), ChannelNorm(style.norm(outputs))
            parts |= {str(4 * stage + place): part for place, part in enumerate([conv, norm, nn.SiLU()], 1)}
        parts[str(4 * len(depths) - 3)] = DoublingConv2d(depths[0], shape.channels, kernel)
        self.net = ImageChain(parts)

    def _make_projection(self, config: DecoderConfig, style: Style) -> None:
        units, blocks = math.prod(self.small), config.block_space
        if self.small.channels % max(blocks, 1) or self.sizes.deter % max(blocks, 1):
            key = "world_model.observation_model.block_space"
            raise ConfigError(key, f"must divide {self.small.channels} channels and {self.sizes.deter}, got {blocks}")
        self.project_deter = BlockLinear(self.sizes.deter, units, blocks) if blocks else None
        if blocks:
            wide = 2 * config.dense_units
            self.project: nn.Module = nn.Sequential(
                style.linear(self.sizes.stoch, wide), style.norm(wide), nn.SiLU(), Linear(wide, units)
            )
        else:
            self.project = Linear(self.sizes.features, units)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        flat = features.flatten(0, -2)
        if self.project_deter is None:
            small = self.project(flat)
        else:
            stoch, deter = flat.split([self.sizes.stoch, self.sizes.deter], -1)
            small = self.project_deter(deter) + self.project(stoch)
        small = self.project_norm(small.unflatten(-1, self.small))
        return _split(torch.sigmoid(self.net(small)).unflatten(0, features.shape[:-1]), self.specs)


class SheeprlImageDecoder(nn.Module):
    """Projects to a small map, then doubles it by transposed convolutions. The output is centred, without a sigmoid."""

    def __init__(self, config: DecoderConfig, style: Style, specs: Mapping[str, ObsSpec], sizes: LatentSizes) -> None:
        super().__init__()
        self.specs = dict(specs)
        shape = joint_shape(specs)
        stages = count_stages(shape.height, shape.width)
        depths = [config.cnn_channels_multiplier * 2**i for i in reversed(range(stages))]
        small = ImageShape(depths[0], shape.height >> stages, shape.width >> stages)
        parts: list[nn.Module] = [Linear(sizes.features, math.prod(small)), ToImages(small)]
        for inputs, outputs in pairwise(depths):
            conv = ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
            parts += [conv, ChannelNorm(style.norm(outputs)), nn.SiLU()]
        self.net = ImageChain(*parts, ConvTranspose2d(depths[-1], shape.channels, 4, stride=2, padding=1))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        images: Tensor = self.net(features.flatten(0, -2))
        return _split(images.unflatten(0, features.shape[:-1]), self.specs)


class ToImages(nn.Unflatten):
    """Flat numbers (..., C * H * W) as images."""

    def __init__(self, shape: ImageShape) -> None:
        super().__init__(-1, shape)

    def forward(self, x: Tensor) -> Tensor:
        return by_pixel(super().forward(x))


def _image_decoder(
    config: DecoderConfig, style: Style, specs: Mapping[str, ObsSpec], sizes: LatentSizes
) -> NatureImageDecoder | SheeprlImageDecoder:
    kind = NatureImageDecoder if style.is_nature else SheeprlImageDecoder
    return kind(config, style, specs, sizes)


def _split(images: Tensor, specs: Mapping[str, ObsSpec]) -> dict[str, Tensor]:
    channels = [image_shape(spec).channels for spec in specs.values()]
    return dict(zip(specs, images.split(channels, -3), strict=True))
