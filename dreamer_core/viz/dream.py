"""One episode, seen three ways: as it was, as the model remembers it, and as the model dreams it. Pure tensors."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core.config.checks import at_least
from dreamer_core.config.tree import Config
from dreamer_core.envs.registry import make_env
from dreamer_core.errors import ConfigError
from dreamer_core.evaluation.cohort import CohortEpisode, stack_rows, to_numpy
from dreamer_core.models.agent import Agent
from dreamer_core.models.encoder import to_unit
from dreamer_core.models.player import play, start
from dreamer_core.rng import RandomSampler, Sampler
from dreamer_core.types import ObsSpec, State


@dataclass(frozen=True, kw_only=True)
class View:
    """One observation over T moments, on the CPU: pixels in [0, 1] (packed screens unpacked), vectors as they are."""

    spec: ObsSpec
    real: Tensor  # (T, ...)
    reconstructed: Tensor  # from beliefs that have seen every moment
    imagined: Tensor  # the same during the context, then dreamt without looking

    @property
    def error(self) -> Tensor:
        return (self.real - self.imagined).abs()


@dataclass(frozen=True, kw_only=True)
class Clip:
    """`views` has one entry per decoded observation. From moment `context` on the model dreams."""

    seed: int
    context: int
    views: Mapping[str, View]

    @property
    def length(self) -> int:
        return len(next(iter(self.views.values())).real)


class _Watched(NamedTuple):
    obs: dict[str, Tensor]  # (T, ...)
    beliefs: State  # (T, 1, ...)
    actions: Tensor  # (T, 1, A): chosen at each moment


@torch.no_grad()
def dream_clip(agent: Agent, config: Config, seed: int, context: int, horizon: int, generator: torch.Generator) -> Clip:
    """Play the episode of `seed`, then dream its moments from `context` on with the actions that were really taken.

    At most `context` + `horizon` moments, fewer when the episode ends before. `generator` lives on the agent's device.
    """
    at_least(1, context=context, horizon=horizon)
    at_least(0, seed=seed)
    sampler = RandomSampler(generator)
    watched = _watch(agent, config, seed, context + horizon, sampler)
    moments = len(watched.actions)
    if moments <= context:
        raise ConfigError(
            "context", f"must be below the {moments} moments of the episode of seed {seed}, got {context}"
        )
    dream = imagine_open_loop(agent, watched.beliefs, watched.actions, context, sampler)
    decoder = agent.world_model.decoder
    reconstructed = decoder.reconstruct(watched.beliefs.features)
    imagined = decoder.reconstruct(dream.features)
    views = {
        key: View(
            spec=spec,
            real=_shown(watched.obs[key], spec),
            reconstructed=reconstructed[key][:, 0].float().cpu(),
            imagined=imagined[key][:, 0].float().cpu(),
        )
        for key, spec in decoder.specs.items()
    }
    return Clip(seed=seed, context=context, views=views)


@torch.no_grad()
def imagine_open_loop(agent: Agent, beliefs: State, actions: Tensor, context: int, sampler: Sampler) -> State:
    """The first `context` beliefs (T, B, ...) as they are, then what follows from the last of them without looking.

    actions (T, B, A): chosen at each moment. The last of them leads to no moment, and is not used.
    """
    state = State(beliefs.deter[context - 1], beliefs.stoch[context - 1])
    deter, stoch = list(beliefs.deter[:context]), list(beliefs.stoch[:context])
    for action in actions[context - 1 : -1]:
        state = agent.world_model.rssm.imagine_step(state, action, sampler)
        deter.append(state.deter)
        stoch.append(state.stoch)
    return State(torch.stack(deter), torch.stack(stoch))


def _watch(agent: Agent, config: Config, seed: int, limit: int, sampler: Sampler) -> _Watched:
    """The first `limit` moments of an episode, what the agent believed at each and what it did."""
    state = start(agent, 1)
    obs, beliefs, actions = [], [], []
    with closing(make_env(config.env)) as env:
        episode = CohortEpisode(env, index=0, seed_base=seed)
        while True:
            rows = stack_rows([episode])
            action, state = play(agent, state, rows, sampler)
            obs.append(rows.obs)
            beliefs.append(state.belief)
            actions.append(state.action)
            if episode.is_over or len(obs) == limit:
                break
            episode.advance(to_numpy(action, agent.spaces.action)[0])
    return _Watched(
        obs={key: torch.cat([moment[key] for moment in obs]) for key in obs[0]},
        beliefs=State(torch.stack([b.deter for b in beliefs]), torch.stack([b.stoch for b in beliefs])),
        actions=torch.stack(actions),
    )


def _shown(obs: Tensor, spec: ObsSpec) -> Tensor:
    return obs.float() if spec.kind == "vector" else to_unit(obs, spec)
