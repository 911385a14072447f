"""Learning in dreams: imagine from real states."""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core.models.actor import Actor, Policy
from dreamer_core.models.agent import Critic
from dreamer_core.models.chain import WatchedChain
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

    def seen(self, moments: slice) -> tuple[Tensor, OneHots | None]:
        """What heads look at: the features of some moments, and where the ones are in them."""
        return self.features[moments], None if self.ones is None else self.ones.of(moments)


def look(critic: Critic, dream: Dream) -> tuple[Tensor, Tensor]:
    """Logits (H, N, bins) of all moments but the last, with a gradient, and the values (H + 1, N), without one."""
    # The last moment by itself: the gradient of a slice fills all of the logits with zeros first.
    with torch.enable_grad():
        logits = critic(*dream.seen(slice(-1)))
    with torch.no_grad():
        values = torch.cat([critic.bins.mean(logits), critic.value(*dream.seen(slice(-1, None)))])
    return logits, values


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
    watched = WatchedChain(actor.net.stages())
    with torch.no_grad():
        dream = _play(world_model, actor, watched, start, horizon, sampler)
    features, ones = dream.seen(slice(-1))
    assert ones is not None
    return dream._replace(policy=actor.policy(watched.with_gradient(features, ones)))


def _play(
    world_model: WorldModel, actor: Actor, watched: WatchedChain, start: State, horizon: int, sampler: Sampler
) -> Dream:
    predict = world_model.rssm.predictor(actor.action)
    deter, ones = start.deter, find_ones(start.stoch)
    features = deter.new_empty(horizon + 1, len(deter), ones.width + deter.shape[-1])
    places, actions = list[Tensor](), list[Tensor]()
    for t, moment in enumerate(features):
        if t:
            deter, ones = predict(deter, ones, actions[-1], sampler)
        places.append(ones.at)
        moment[:, : ones.width].zero_().scatter_(1, ones.at, 1.0)  # laid out as in `State.features`
        moment[:, ones.width :] = deter
        actions.append(actor.policy(watched.step(moment, ones)).sample(sampler))
    return Dream(features, torch.stack(actions), OneHots(torch.stack(places), ones.width))


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
