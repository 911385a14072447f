"""Acting in the environments and filling replay: one row of each environment per call."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dreamer_core.config.tree import Config
from dreamer_core.envs.episode import Episode
from dreamer_core.envs.vector import VectorEnv
from dreamer_core.errors import ConfigError
from dreamer_core.models import player
from dreamer_core.models.actions import random_action
from dreamer_core.models.agent import Agent
from dreamer_core.models.player import PlayerState
from dreamer_core.replay.buffer import Replay
from dreamer_core.rng import RandomSampler, restore_generator
from dreamer_core.training.env_state import env_from_tensors, env_to_tensors
from dreamer_core.types import ActionSpec, Rows, State

Chooser = Callable[[int], Tensor]  # N to stored actions (N, K)


class Collector:
    """Writes a row to replay together with the action chosen for it, and only then steps the environments.

    In this order no row can hold the observation that an action led to: the mistake both seed projects made. Between
    `act` and `see` the environments are on their way while others learn: side by side if they have processes.
    """

    def __init__(self, config: Config, agent: Agent, env: VectorEnv, generator: torch.Generator) -> None:
        self.config, self.agent, self.env = config, agent, env
        self.generator = generator
        self.sampler = RandomSampler(generator)
        self.keeps_beliefs = config.algo.replay_context > 0
        if config.mode == "standing_still":
            constant_action(env.num_envs, agent.spaces.action, config.train.standing_still_action)  # refuse it now
        self.rows: Rows = env.reset()
        self.state: PlayerState = player.start(agent, env.num_envs)

    def act(self, replay: Replay, *, explore: bool) -> int:
        """One row of each, and an action for it. `explore`: the policy is not to be asked yet, act at random.

        Gives the steps of the world that this makes: a reset is a row but not a step.
        """
        action = self._choose(explore)
        replay.add(self.rows, action, self.state.belief if self.keeps_beliefs else None)
        self.env.begin(action)
        return int((~self.rows.is_last).sum())

    def see(self) -> tuple[Episode, ...]:
        """Where the actions led. Gives the episodes that ended there."""
        self.rows = self.env.finish()
        return self.env.finished

    def _choose(self, explore: bool) -> Tensor:
        chooser = self._chooser(explore)
        if chooser is None:
            played = player.play(self.agent, self.state, self.rows, self.sampler)
            self.state = played.state
            return played.action
        action = chooser(self.env.num_envs)
        if self.keeps_beliefs:
            self.state = player.observe_only(self.agent, self.state, self.rows, action, self.sampler)
        return action

    def _chooser(self, explore: bool) -> Chooser | None:
        spec = self.agent.spaces.action
        if self.config.mode == "standing_still":
            return lambda count: constant_action(count, spec, self.config.train.standing_still_action)
        if self.config.mode == "bootstrap" or (explore and self.config.algo.random_prefill):
            return lambda count: random_action(count, spec, self.generator)
        return None

    def tensors(self) -> dict[str, Tensor]:
        belief, action = self.state
        return {
            "deter": belief.deter,
            "stoch": belief.stoch,
            "action": action,
            "generator": self.generator.get_state(),
            **env_to_tensors(self.env.snapshot()),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        device = self.state.action.device
        belief = State(tensors["deter"].to(device), tensors["stoch"].to(device))
        self.state = PlayerState(belief, tensors["action"].to(device))
        restore_generator(self.generator, tensors["generator"])
        self.rows = self.env.restore(env_from_tensors(tensors))


def constant_action(count: int, spec: ActionSpec, choice: int) -> Tensor:
    """Choice `choice` of every head; for continuous actions, no force at all."""
    if spec.is_continuous:
        return torch.zeros(count, spec.stored_width)
    if choice >= min(spec.sizes):
        raise ConfigError("train.standing_still_action", f"must be below {min(spec.sizes)}, got {choice}")
    return torch.full((count, spec.stored_width), choice, dtype=torch.int32)


def describe(episodes: list[Episode]) -> dict[str, Any]:
    """The episodes that ended since the last record. None ended: the keys are missing, not NaN."""
    if not episodes:
        return {}
    count = len(episodes)
    return {
        "Rewards/rew_avg": sum(episode.return_ for episode in episodes) / count,
        "Game/ep_len_avg": sum(episode.length for episode in episodes) / count,
        "episodes": count,
    }
