"""Seeing an environment through its own renderer, made small where it is drawn."""

import importlib.util
import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.errors import ConfigError, MissingExtraError
from dreamer_core.types import ObsSpec

_LUMA = np.array([299, 587, 114])  # thousandths of red, green and blue in a grey (BT.601)


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Turns a rendered frame (height, width, 3) into an observation (channels, size, size)."""

    size: int
    grayscale: bool

    @property
    def spec(self) -> ObsSpec:
        return ObsSpec(kind="image", shape=(1 if self.grayscale else 3, self.size, self.size))

    def see(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        small = shrink(frame, self.size)
        if self.grayscale:
            small = ((small @ _LUMA + 500) // 1000).astype(np.uint8)[..., None]
        return np.ascontiguousarray(small.transpose(2, 0, 1))


def shrink(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Area averaging to (size, size, channels), rounded half up.

    Each pixel of the result is the mean of its own block of whole pixels. In integers, so every machine sees the same.
    """
    sums = frame
    for axis in (0, 1):
        starts = np.arange(size) * frame.shape[axis] // size
        sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.uint32)
    area = _block_lengths(frame.shape[0], size)[:, None, None] * _block_lengths(frame.shape[1], size)[:, None]
    mean: NDArray[np.uint8] = ((sums + area // 2) // area).astype(np.uint8)
    return mean


def _block_lengths(pixels: int, size: int) -> NDArray[np.uint32]:
    edges = np.arange(size + 1) * pixels // size
    # A screen larger than the frame repeats pixels: those blocks hold one.
    return np.maximum(np.diff(edges), 1).astype(np.uint32)


def prepare_renderer() -> None:
    """Before pygame is imported: no window and no sound. Its banner is silenced by Gymnasium."""
    if importlib.util.find_spec("pygame") is None:
        raise MissingExtraError("env.obs=pixels", extra="pixels", package="pygame-ce")
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")


def refuse_pixels(config: EnvConfig) -> None:
    """For a world that draws no picture."""
    if config.obs == "pixels":
        raise ConfigError("env.obs", f"{config.id} has no picture of itself, got 'pixels'; use vector")
