"""A tiny whole agent of the `nature` reference, built by its own build_agent from its own Hydra configs."""

import importlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tests.golden.perturb import peak, perturb
from tests.golden.tiny import CLASSES, DETER, OVERRIDES, STOCH, Task, compose, replayed

TINY = (
    "exp=dreamer_v3_5",
    "algo=dreamer_v3_5_1M",
    *OVERRIDES,
    "algo.cnn_channels_multiplier=2",
    "algo.world_model.kl_free_nats=1.5",
    "algo.world_model.recurrent_model.hidden_size=8",
    "algo.world_model.recurrent_model.blocks=4",
    "algo.world_model.observation_model.block_space=4",
    "algo.actor.unimix=0",
    "algo.optimizer.lr=1e-3",
    "algo.optimizer.warmup=0",
)


@dataclass(frozen=True)
class Agent:
    fabric: Any
    cfg: Any
    world_model: Any
    actor: Any
    critic: Any
    target_critic: Any
    task: Task

    @property
    def modules(self) -> dict[str, Any]:
        return {"world_model": self.world_model, "actor": self.actor, "critic": self.critic}


def build(task: Task, *overrides: str) -> Agent:
    """Fresh weights by the reference, then perturbed so that every term counts."""
    agent = fresh(task, *overrides)
    perturb(agent.world_model, agent.actor, agent.critic, agent.target_critic)
    peak(agent.world_model.reward_model.module[-1].bias, center=0.5)
    peak(agent.critic.module[-1].bias, center=1.0)
    peak(agent.target_critic.module[-1].bias, center=1.5)
    return agent


def fresh(task: Task, *overrides: str) -> Agent:
    cfg = compose(*TINY, *task.keys, *overrides)
    fabric = importlib.import_module("lightning").Fabric(accelerator="cpu", devices=1, precision="32-true")
    module = importlib.import_module("sheeprl.algos.dreamer_v3_5.agent")
    world_model, actor, critic, target_critic, _ = module.build_agent(
        fabric, task.actions, task.continuous, cfg, task.spaces
    )
    return Agent(fabric, cfg, world_model, actor, critic, target_critic, task)


def batch(agent: Agent) -> dict[str, Tensor]:
    """Replayed rows (context + T, B, ...) with the latent states that the reference keeps beside them."""
    algo = agent.cfg.algo
    rows, columns = algo.per_rank_sequence_length + algo.replay_context, algo.per_rank_batch_size
    return replayed(agent.task, rows, columns) | {
        "deter": torch.randn(rows, columns, DETER).tanh().half(),
        "stoch": torch.randint(CLASSES, (rows, columns, STOCH), dtype=torch.uint8),
    }
