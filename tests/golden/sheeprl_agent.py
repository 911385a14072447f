"""A tiny whole agent of the `sheeprl` reference, built by its own build_agent from its own Hydra configs."""

import importlib
from dataclasses import dataclass
from typing import Any

from tests.golden.perturb import peak, perturb
from tests.golden.tiny import OVERRIDES, Task, compose

TINY = (
    "exp=dreamer_v3",
    "algo=dreamer_v3_XS",
    *OVERRIDES,
    "algo.mlp_layers=2",
    "algo.world_model.kl_free_nats=0.6",
    "algo.world_model.encoder.cnn_channels_multiplier=2",
    "algo.world_model.transition_model.hidden_size=8",
    "algo.world_model.representation_model.hidden_size=8",
    "algo.world_model.optimizer.lr=1e-3",
    "algo.actor.optimizer.lr=8e-4",
    "algo.critic.optimizer.lr=8e-4",
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
    peak(agent.world_model.reward_model.module.model[-1].bias, center=0.5)
    peak(agent.critic.module.model[-1].bias, center=1.0)
    peak(agent.target_critic.module.model[-1].bias, center=1.5)
    return agent


def fresh(task: Task, *overrides: str) -> Agent:
    cfg = compose(*TINY, *task.keys, *overrides)
    fabric = importlib.import_module("lightning").Fabric(accelerator="cpu", devices=1, precision="32-true")
    module = importlib.import_module("sheeprl.algos.dreamer_v3.agent")
    world_model, actor, critic, target_critic, _ = module.build_agent(
        fabric, task.actions, task.continuous, cfg, task.spaces
    )
    return Agent(fabric, cfg, world_model, actor, critic, target_critic, task)
