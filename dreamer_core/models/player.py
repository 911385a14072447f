"""Acting: filter what was seen, choose an action. The state goes in and comes out."""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core.models import actions
from dreamer_core.models.agent import Agent
from dreamer_core.rng import Sampler
from dreamer_core.types import Rows, State


class PlayerState(NamedTuple):
    """What the player remembers of each environment: its belief, and the action it chose last."""

    belief: State  # (N, ...)
    action: Tensor  # (N, A)


class Played(NamedTuple):
    action: Tensor  # (N, stored width): what the environments take and replay keeps
    state: PlayerState


def start(agent: Agent, count: int) -> PlayerState:
    """Before the first moment. What it holds never matters: first rows forget it."""
    belief = agent.world_model.rssm.initial(count)
    return PlayerState(belief.detach(), torch.zeros(count, agent.spaces.action.width, device=belief.deter.device))


@torch.no_grad()
def play(agent: Agent, state: PlayerState, rows: Rows, sampler: Sampler) -> Played:
    """One moment of N environments."""
    device = state.action.device
    # The encoder is time-major; one moment is a sequence of length one.
    obs = {key: value.to(device, non_blocking=True)[None] for key, value in rows.obs.items()}
    embedding = agent.world_model.encoder(obs)[0]
    is_first = rows.is_first.to(device, non_blocking=True)
    belief = agent.world_model.rssm.filter(state.belief, embedding, state.action, is_first, sampler)
    action = agent.actor(belief.features).sample(sampler)
    if agent.spaces.action.is_continuous:
        action = action.clamp(-1, 1)  # replay keeps what was really played, so the model must see the same
    return Played(actions.decode(action, agent.spaces.action), PlayerState(belief, action))


@torch.no_grad()
def observe_only(agent: Agent, state: PlayerState, rows: Rows, action: Tensor, sampler: Sampler) -> PlayerState:
    """Keep the belief up to date while somebody else chooses the (stored) action."""
    belief = play(agent, state, rows, sampler).state.belief
    return PlayerState(belief, actions.encode(action.to(state.action.device), agent.spaces.action))
