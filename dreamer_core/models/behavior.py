"""Learning in dreams: imagine from real states."""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core.models.actor import Actor
from dreamer_core.models.world_model import WorldModel
from dreamer_core.rng import Sampler
from dreamer_core.types import State


class Dream(NamedTuple):
    """H steps from each of N starts: H + 1 moments, the first of them real."""

    features: Tensor  # (H + 1, N, F)
    actions: Tensor  # (H + 1, N, A): the action chosen at each moment; the last one is never carried out


def imagine(world_model: WorldModel, actor: Actor, start: State, horizon: int, sampler: Sampler) -> Dream:
    """Let the actor play in the world model. Whether gradients flow is the caller's choice (see `torch.no_grad`)."""
    state = start
    features, actions = [state.features], []
    for _ in range(horizon):
        actions.append(actor(features[-1].detach()).sample(sampler))
        state = world_model.rssm.imagine_step(state, actions[-1], sampler)
        features.append(state.features)
    actions.append(actor(features[-1].detach()).sample(sampler))
    return Dream(torch.stack(features), torch.stack(actions))


def last_rows(states: State, count: int) -> State:
    """Starts (N, ...) from the last `count` rows of each sequence (T, B, ...); 0 takes all rows."""
    deter, stoch = states.deter[-count:], states.stoch[-count:]  # [-0:] is everything
    return State(deter.flatten(0, 1), stoch.flatten(0, 1))


def action_metrics(entropy: Tensor, actions: Tensor, is_continuous: bool) -> dict[str, Tensor]:
    """How random the policy is, and the share of its most common action: 1 is a policy that does one thing only."""
    metrics = {"action_entropy": entropy.mean().detach()}
    if not is_continuous:
        metrics["action_top_fraction"] = actions.detach().flatten(0, -2).mean(0).max()
    return metrics
