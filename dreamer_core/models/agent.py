"""The agent: world model, actor, critic, slow critic and return range, always built from a run's own config."""

import copy

import torch
from torch import Tensor, nn

from dreamer_core.config.tree import Config
from dreamer_core.errors import ConfigError
from dreamer_core.models.actor import Actor
from dreamer_core.models.gather import OneHots
from dreamer_core.models.initialize import initialize_nature, initialize_sheeprl
from dreamer_core.models.layers import Style, head
from dreamer_core.models.moments import Moments
from dreamer_core.models.twohot import TwoHot
from dreamer_core.models.world_model import WorldModel, make_two_hot
from dreamer_core.types import Spaces


class Critic(nn.Module):
    def __init__(self, config: Config, style: Style, features: int) -> None:
        super().__init__()
        critic = config.critic
        scale = critic.outscale if style.is_nature else 0.0
        self.net = head(style, features, critic.dense_units, critic.mlp_layers, critic.bins, scale=scale)
        self.bins: TwoHot = make_two_hot(style, critic.bins)

    def forward(self, features: Tensor, ones: OneHots | None = None) -> Tensor:
        """Logits (..., bins)."""
        logits: Tensor = self.net(features, ones)
        return logits

    def value(self, features: Tensor, ones: OneHots | None = None) -> Tensor:
        return self.bins.mean(self(features, ones))


class Agent(nn.Module):
    def __init__(self, config: Config, spaces: Spaces) -> None:
        super().__init__()
        self.config, self.spaces = config, spaces
        _check_distribution(config, spaces)
        style = Style(config.algo.recipe, config.algo.norm_eps)
        self.world_model = WorldModel(config, spaces, style)
        features = self.world_model.feature_size
        self.actor = Actor(config.actor, style, features=features, action=spaces.action)
        self.critic = Critic(config, style, features)
        self.slow_critic = copy.deepcopy(self.critic).requires_grad_(False)
        self.moments = Moments(config.actor.moments)

    def move(self, device: torch.device) -> "Agent":
        """To `device`, with the bins, which are constants rather than parameters."""
        self.to(device)
        for holder in (self.world_model.reward_bins, self.critic.bins, self.slow_critic.bins):
            holder.bins = holder.bins.to(device)
        return self

    @torch.no_grad()
    def update_slow_critic(self, tau: float) -> None:
        slow: list[Tensor] = list(self.slow_critic.parameters())
        fast: list[Tensor] = list(self.critic.parameters())
        torch._foreach_lerp_(slow, fast, tau)


def build_agent(config: Config, spaces: Spaces, generator: torch.Generator) -> Agent:
    """A fresh agent on the CPU, with its weights drawn by its recipe."""
    agent = Agent(config, spaces)
    draw_weights(agent, config, generator)
    agent.update_slow_critic(1.0)
    return agent


def draw_weights(module: nn.Module, config: Config, generator: torch.Generator) -> None:
    """By the recipe of the config."""
    if config.is_nature:
        initialize_nature(module, generator)
    else:
        initialize_sheeprl(module, generator, hafner=config.algo.hafner_initialization)


def _check_distribution(config: Config, spaces: Spaces) -> None:
    """`auto` fits every world; the other words insist on one kind of action."""
    fitting = "scaled_normal" if spaces.action.is_continuous else "discrete"
    if config.distribution.type not in ("auto", fitting):
        raise ConfigError(
            "distribution.type",
            f"must be auto or {fitting} for {spaces.action.kind} actions, got {config.distribution.type}",
        )
