"""A sampler whose noise was recorded beside the reference's."""

import torch
from torch import Tensor

from dreamer_core.rng import ModeSampler


class RecordedNoise(ModeSampler):
    """Modes for categories, and for normals the given noise."""

    def __init__(self, noise: Tensor) -> None:
        self.noise = noise

    def normal_noise(self, like: Tensor) -> Tensor:
        assert like.shape == self.noise.shape
        return torch.as_tensor(self.noise, dtype=like.dtype)
