"""The actor: latent features to a policy, for discrete, multi-discrete and continuous actions."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from dreamer_core.config.model import ActorConfig
from dreamer_core.models.distributions import log_probs, sample_one_hot
from dreamer_core.models.layers import Linear, Style, mlp
from dreamer_core.rng import Sampler
from dreamer_core.types import ActionSpec

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class Policy(Protocol):
    """A distribution over actions (..., A)."""

    def sample(self, sampler: Sampler) -> Tensor: ...

    def log_prob(self, action: Tensor) -> Tensor:
        """(...), summed over heads or dimensions."""
        ...

    def entropy(self) -> Tensor: ...


class CategoricalPolicy(NamedTuple):
    """One categorical per head; an action is their one-hots side by side."""

    log_probs: tuple[Tensor, ...]

    def sample(self, sampler: Sampler) -> Tensor:
        return torch.cat([sample_one_hot(head, sampler) for head in self.log_probs], -1)

    def log_prob(self, action: Tensor) -> Tensor:
        sizes = [head.shape[-1] for head in self.log_probs]
        parts = zip(self.log_probs, action.split(sizes, -1), strict=True)
        return torch.stack([(head * one_hot).sum(-1) for head, one_hot in parts]).sum(0)

    def entropy(self) -> Tensor:
        return torch.stack([-(head.exp() * head).sum(-1) for head in self.log_probs]).sum(0)


class NormalPolicy(NamedTuple):
    """A normal with a bounded mean and deviation. Where `clip` > 0, samples are scaled back to within it."""

    mean: Tensor
    std: Tensor
    clip: float

    def sample(self, sampler: Sampler) -> Tensor:
        action = self.mean + self.std * sampler.normal_noise(self.mean)
        if self.clip > 0:
            # Straight-through: the gradient flows as if nothing had been clipped.
            action = action * (self.clip / action.abs().clamp(min=self.clip)).detach()
        return action

    def log_prob(self, action: Tensor) -> Tensor:
        distance = (action - self.mean) / self.std
        return -(0.5 * distance.square() + self.std.log() + _LOG_SQRT_2PI).sum(-1)

    def entropy(self) -> Tensor:
        return (0.5 + _LOG_SQRT_2PI + self.std.log()).sum(-1)


class Actor(nn.Module):
    def __init__(self, config: ActorConfig, style: Style, *, features: int, action: ActionSpec) -> None:
        super().__init__()
        self.config, self.action, self.is_nature = config, action, style.is_nature
        scale = config.outscale if style.is_nature else 1.0
        self.net = mlp(style, features, config.dense_units, config.mlp_layers)
        sizes = [2 * action.width] if action.is_continuous else list(action.sizes)
        self.heads = nn.ModuleList(Linear(config.dense_units, size, scale=scale) for size in sizes)

    def forward(self, features: Tensor) -> Policy:
        return self.policy(self.net(features))

    def policy(self, hidden: Tensor) -> Policy:
        """From what the hidden layers make (..., U) of features."""
        outputs = [head(hidden) for head in self.heads]
        if not self.action.is_continuous:
            return CategoricalPolicy(tuple(log_probs(output, self.config.unimix) for output in outputs))
        mean, std = outputs[0].float().chunk(2, -1)
        spread = self.config.max_std - self.config.min_std
        std = spread * torch.sigmoid(std + self.config.init_std) + self.config.min_std
        return NormalPolicy(torch.tanh(mean), std, 0.0 if self.is_nature else self.config.action_clip)
