"""The only source of randomness in the core: every draw names its generator.

Global random state would make two runs of one seed differ as soon as anything else in the process draws a number,
so nothing here, and nothing that uses this, ever touches it.
"""

import hashlib
from abc import ABC, abstractmethod

import torch
from torch import Tensor

# Up to so many, going class by class is faster than going row by row, here and in `distributions.softmax`, which lays
# them out so. It stands here because models import this.
FEW_CLASSES = 8
_FORK_RANGE = 2**62


def require_generator(generator: torch.Generator | None) -> torch.Generator:
    if generator is None:
        raise ValueError("a torch.Generator is required here: the core never draws from global random state")
    return generator


def make_generator(seed: int, device: torch.device | str | None = None) -> torch.Generator:
    return torch.Generator(device=device or "cpu").manual_seed(seed)


def fork_generator(generator: torch.Generator | None) -> torch.Generator:
    """A child whose stream depends only on the parent's state; the parent moves on by one draw."""
    parent = require_generator(generator)
    seed = int(torch.randint(_FORK_RANGE, (1,), generator=parent, device=parent.device).item())
    return make_generator(seed, parent.device)


def restore_generator(generator: torch.Generator, state: Tensor) -> None:
    """Go on where `state` was saved. One of another kind of device can only be a seed: it means nothing here."""
    state = state.cpu()
    if state.shape == generator.get_state().shape:
        generator.set_state(state)
    else:
        generator.manual_seed(int.from_bytes(hashlib.sha256(bytes(state.tolist())).digest()[:7]))


def rand(shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    generator = require_generator(generator)
    return torch.rand(shape, generator=generator, device=generator.device)


def randn(shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    generator = require_generator(generator)
    return torch.randn(shape, generator=generator, device=generator.device)


def randint(low: int, high: int, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Integers in [low, high)."""
    generator = require_generator(generator)
    return torch.randint(low, high, shape, generator=generator, device=generator.device)


class Sampler(ABC):
    """How a model turns a distribution into a value. Handed in, so that randomness is always somebody's choice."""

    @abstractmethod
    def index(self, probs: Tensor) -> Tensor:
        """probs (..., C) to the class that was drawn, int64 (...)."""

    def one_hot(self, probs: Tensor) -> Tensor:
        """The same as a one-hot (..., C), without gradient."""
        drawn = torch.zeros(probs.shape, dtype=probs.dtype, device=probs.device)
        return drawn.scatter_(-1, self.index(probs)[..., None], 1.0)

    @abstractmethod
    def normal_noise(self, like: Tensor) -> Tensor:
        """Standard normal noise in the shape of `like`."""


class RandomSampler(Sampler):
    """Draws from one generator."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = require_generator(generator)

    def index(self, probs: Tensor) -> Tensor:
        # Inverse CDF: one uniform per variable instead of one exponential per class (a tenth of an update, measured).
        uniform = torch.rand(probs.shape[:-1], generator=self.generator, device=probs.device)
        probs = probs.detach().float()
        if probs.shape[-1] <= FEW_CLASSES:
            cdf = probs.movedim(-1, 0).cumsum(0)
            return (cdf[:-1] <= uniform.mul_(cdf[-1])).sum(0)
        cdf = probs.cumsum(-1)
        threshold = uniform[..., None].mul_(cdf[..., -1:])
        return torch.searchsorted(cdf, threshold, right=True).squeeze(-1).clamp_(max=probs.shape[-1] - 1)

    def normal_noise(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.generator, device=like.device, dtype=like.dtype)


class ModeSampler(Sampler):
    """Takes the most likely value, for evaluation that gives the same numbers twice."""

    def index(self, probs: Tensor) -> Tensor:
        return probs.argmax(-1)

    def normal_noise(self, like: Tensor) -> Tensor:
        return torch.zeros_like(like)
