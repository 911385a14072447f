"""The shape of the convolutional nets: how an image is halved into features, and which images go in together."""

from collections.abc import Mapping
from typing import NamedTuple

from dreamer_core.errors import ConfigError
from dreamer_core.types import ObsSpec

_SMALLEST = 4


class ImageShape(NamedTuple):
    channels: int
    height: int
    width: int


def image_shape(spec: ObsSpec) -> ImageShape:
    """As the net sees it: packed2 unpacks to one channel, four times as wide."""
    channels, height, width = spec.shape
    return ImageShape(channels, height, width * (4 if spec.kind == "packed2" else 1))


def count_stages(height: int, width: int, limit: int | None = None) -> int:
    """How often both sides halve evenly without falling below 4 pixels: 4 times for 64x64, 3 for 72x80."""
    stages = 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= _SMALLEST and stages != limit:
        height, width, stages = height // 2, width // 2, stages + 1
    if stages == 0:
        raise ConfigError("env.screen_size", f"images of {height}x{width} cannot be halved even once; use 64")
    return stages


def joint_shape(specs: Mapping[str, ObsSpec]) -> ImageShape:
    """All images side by side in the channels. They must agree in height and width."""
    shapes = [image_shape(spec) for spec in specs.values()]
    sizes = {(shape.height, shape.width) for shape in shapes}
    if len(sizes) != 1:
        raise ConfigError("algo.cnn_keys.encoder", f"images must share one size, got {sorted(sizes)} for {list(specs)}")
    return ImageShape(sum(shape.channels for shape in shapes), shapes[0].height, shapes[0].width)
