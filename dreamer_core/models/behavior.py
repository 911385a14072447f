"""Learning in dreams: imagine from real states."""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core.models.actor import Actor, Policy
from dreamer_core.models.gather import OneHots, find_ones
from dreamer_core.models.layers import runs_by_hand
from dreamer_core.models.world_model import WorldModel
from dreamer_core.rng import Sampler
from dreamer_core.types import State


class Dream(NamedTuple):
    """H steps from each of N starts: H + 1 moments, the first of them real."""

    features: Tensor  # (H + 1, N, F)
    actions: Tensor  # (H + 1, N, A): the action chosen at each moment; the last one is never carried out
    ones: OneHots | None = None  # where the ones are in the features, where that is known
    policy: Policy | None = None  # of the first H moments, where the actor was watched


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


def imagine_watched(world_model: WorldModel, actor: Actor, start: State, horizon: int, sampler: Sampler) -> Dream:
    """The same dream, with gradients for the actor's weights alone: its policy needs no second look at the features."""
    if not runs_by_hand(start.deter):
        with torch.no_grad():
            return imagine(world_model, actor, start, horizon, sampler)
    with torch.no_grad():
        predict = world_model.rssm.predictor(actor.action)
    features = start.features.new_empty(horizon + 1, len(start.deter), start.features.shape[-1])
    state, outputs, actions, ones = start, [], [], []
    for t in range(horizon + 1):
        features[t] = state.features
        ones.append(find_ones(state.stoch))
        with torch.set_grad_enabled(t < horizon):
            # Of its own, so that writing later moments does not look like changing what this one saw.
            outputs.append(actor.outputs(features.data[t], ones[t]))
        with torch.no_grad():
            actions.append(actor.policy([output.detach() for output in outputs[t]]).sample(sampler))
            if t < horizon:
                state = predict(state.deter, ones[t], actions[t], sampler)
    policy = actor.policy([torch.stack(steps) for steps in zip(*outputs[:horizon], strict=True)])
    return Dream(features, torch.stack(actions), OneHots(torch.stack([o.at for o in ones]), ones[0].width), policy)


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
