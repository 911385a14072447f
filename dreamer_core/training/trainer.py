"""All that a training run holds in memory: how it is put together, and how it is saved and restored whole."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dreamer_core.config.tree import Config
from dreamer_core.envs.episode import Episode
from dreamer_core.envs.registry import make_vector_env
from dreamer_core.metrics.window import Window
from dreamer_core.models.agent import Agent, build_agent
from dreamer_core.replay.buffer import Replay
from dreamer_core.replay.layout import LatentShape
from dreamer_core.rng import RandomSampler, fork_generator, make_generator, restore_generator
from dreamer_core.training.averaged import Averaged
from dreamer_core.training.checkpoint import Snapshot, flatten_optimizer, unflatten_optimizer
from dreamer_core.training.collective import Collective, Solo
from dreamer_core.training.collector import Collector
from dreamer_core.training.learner import Learner
from dreamer_core.training.learner_nature import NatureLearner
from dreamer_core.training.learner_sheeprl import SheeprlLearner
from dreamer_core.training.ratio import Ratio
from dreamer_core.training.schedule import Controller

# Ranks of one run must not see the same episodes.
_RANK_STRIDE = 1_000_003


@dataclass
class Progress:
    """Counters that survive a resume. Steps are summed over all ranks."""

    env_steps: int = 0
    learning_since: int | None = None  # the env step at which updates began
    actor_updates: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0  # of all threads of this process


@dataclass
class Trainer:
    config: Config
    device: torch.device
    agent: Agent
    learner: Learner
    replay: Replay
    collector: Collector
    controller: Controller
    ratio: Ratio
    collective: Collective
    sample_generator: torch.Generator
    learn_sampler: RandomSampler
    averaged: Averaged | None = None
    progress: Progress = field(default_factory=Progress)
    window: Window = field(default_factory=Window)
    episodes: list[Episode] = field(default_factory=list)  # since the last record

    @property
    def judged(self) -> Agent:
        """The agent that evaluations play."""
        return self.agent if self.averaged is None else self.averaged.agent

    def follow(self) -> None:
        """After each update: bring along what is derived from the weights."""
        if self.averaged is not None:
            self.averaged.follow(self.learner.count)

    def snapshot(self) -> Snapshot:
        optimizer_tensors, optimizer_state = flatten_optimizers(self.learner)
        tensors: dict[str, dict[str, Tensor]] = {
            "agent": self.agent.state_dict(),
            "optimizers": optimizer_tensors,
            "player": self.collector.tensors(),
            "rng": {
                "sample": self.sample_generator.get_state(),
                "learn": self.learn_sampler.generator.get_state(),
            },
        }
        state: dict[str, Any] = {
            "optimizers": optimizer_state,
            "updates": self.learner.count,
            "progress": vars(self.progress).copy(),
            "ratio": self.ratio.state(),
            "controller": self.controller.state(),
            "window": self.window.state(),
            "episodes": [list(episode) for episode in self.episodes],
        }
        if self.averaged is not None:
            tensors["averaged"] = self.averaged.agent.state_dict()
        if self.config.run.save_replay:
            tensors["replay"] = self.replay.tensors()
            state["replay"] = self.replay.state()
        return Snapshot(
            config=self.config,
            env_steps=self.progress.env_steps,
            train_steps=self.learner.count,
            tensors=tensors,
            state=state,
        )

    def restore(self, snapshot: Snapshot) -> None:
        tensors, state = snapshot.tensors, snapshot.state
        self.agent.load_state_dict(tensors["agent"])
        self.learner.restore(unflatten_optimizers(tensors["optimizers"], state["optimizers"]), state["updates"])
        self.collector.restore(tensors["player"])
        restore_generator(self.sample_generator, tensors["rng"]["sample"])
        restore_generator(self.learn_sampler.generator, tensors["rng"]["learn"])
        self.progress = Progress(**state["progress"])
        self.ratio.restore(state["ratio"])
        self.controller.restore(state["controller"])
        self.window.restore(state["window"])
        self.episodes = [Episode(*episode) for episode in state["episodes"]]
        if self.averaged is not None:  # a checkpoint from before it was switched on has only the weights themselves
            self.averaged.agent.load_state_dict(tensors.get("averaged", tensors["agent"]))
        if "replay" in tensors:
            self.replay.restore(tensors["replay"], state["replay"])


def build_trainer(config: Config, device: torch.device, collective: Collective | None = None) -> Trainer:
    """A fresh run: everything random hangs on `config.seed` (and the rank), in a fixed order."""
    collective = collective or Solo()
    root = make_generator(config.seed)
    init, rest = fork_generator(root), make_generator(config.seed + collective.rank * _RANK_STRIDE)
    env_seed = config.seed + collective.rank * _RANK_STRIDE
    env = make_vector_env(config.env, env_seed, config.run.env_processes)
    agent = build_agent(config, env.spaces, init).move(device)
    act, sample, learn = (make_generator(_draw_seed(rest), device) for _ in range(3))
    collective.broadcast(agent.state_dict().values())
    share = config.train.average_share
    return Trainer(
        config=config,
        device=device,
        agent=agent,
        learner=build_learner(agent, collective),
        replay=build_replay(config, agent, device),
        collector=Collector(config, agent, env, act),
        controller=Controller(config.train, config.mode),
        ratio=Ratio(config.algo.replay_ratio, config.algo.per_rank_pretrain_steps, config.algo.max_updates_per_tick),
        collective=collective,
        sample_generator=sample,
        learn_sampler=RandomSampler(learn),
        averaged=Averaged(agent, share) if share else None,
    )


def build_learner(agent: Agent, collective: Collective) -> Learner:
    kind = NatureLearner if agent.config.is_nature else SheeprlLearner
    return kind(agent, collective)


def build_replay(config: Config, agent: Agent, device: torch.device) -> Replay:
    return Replay(
        config.replay,
        agent.spaces,
        num_envs=config.env.num_envs,
        device=device,
        latent_shape=latent_shape(config),
        context=config.algo.replay_context,
    )


def latent_shape(config: Config) -> LatentShape | None:
    """What replay keeps of a belief, where the recipe starts sequences from stored beliefs."""
    model = config.world_model
    if not config.algo.replay_context:
        return None
    return LatentShape(model.recurrent_model.recurrent_state_size, model.stochastic_size, model.discrete_size)


def flatten_optimizers(learner: Learner) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors: dict[str, Tensor] = {}
    state: dict[str, Any] = {}
    for name, optimizer in learner.optimizers.items():
        flat, state[name] = flatten_optimizer(optimizer.state_dict())
        tensors |= {f"{name}/{key}": value for key, value in flat.items()}
    return tensors, state


def unflatten_optimizers(tensors: dict[str, Tensor], state: dict[str, Any]) -> dict[str, Any]:
    return {
        name: unflatten_optimizer(
            {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")},
            own,
        )
        for name, own in state.items()
    }


def _draw_seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**62, (1,), generator=generator).item())
