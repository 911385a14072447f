"""sheeprl 0.8.4 as a contestant, in an environment that has it: python update_step_sheeprl.py WORKLOAD CLASS.

Its own `train` of `dreamer_v3_5` (A) or `dreamer_v3` (B) and the step of its slow critic, without environment, replay
and logging; networks, optimizers and settings as its `main` makes them.
"""

import os
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gymnasium as gym
import hydra
import numpy as np
import sheeprl
import torch
from lightning.fabric import Fabric
from omegaconf import OmegaConf
from sheeprl.utils.utils import dotdict
from torch import Tensor
from update_step_child import Entry, serve
from update_step_torch import entry_of, set_threads
from update_step_work import WORKLOADS, Workload, sheeprl_words

Made = tuple[Callable[[], object], Iterable[Tensor]]


def make(work: Workload, kind: str) -> Entry:
    set_threads()
    warnings.filterwarnings("ignore")
    config = _config(sheeprl_words(work, kind))
    torch.distributions.Distribution.set_default_validate_args(config.distribution.validate_args)
    fabric = Fabric(accelerator="cpu", devices=1)
    return entry_of(*(_make_a if kind == "A" else _make_b)(work, config, fabric))


def _make_a(work: Workload, config: Any, fabric: Any) -> Made:
    from sheeprl.algos.dreamer_v3_5 import dreamer_v3_5 as algo

    world_model, actor, critic, slow_critic, _ = algo.build_agent(fabric, (work.actions,), False, config, _space(work))
    weights = [*world_model.parameters(), *actor.parameters(), *critic.parameters()]
    optimizer = hydra.utils.instantiate(config.algo.optimizer, params=weights, _convert_="all")
    optimizer, moments = fabric.setup_optimizers(optimizer), _moments(algo, config)
    data = _data(work, config.algo.replay_context, config.algo.world_model)

    def update() -> None:
        parts = (world_model, actor, critic, slow_critic)
        algo.train(fabric, config, *parts, optimizer, moments, dict(data), None, (work.actions,))
        algo.update_target_critic(critic, slow_critic, config.algo.critic.tau)

    return update, weights


def _make_b(work: Workload, config: Any, fabric: Any) -> Made:
    from sheeprl.algos.dreamer_v3 import dreamer_v3 as algo

    parts = algo.build_agent(fabric, (work.actions,), False, config, _space(work))[:4]
    world_model, actor, critic, slow_critic = parts
    settings = config.algo.world_model, config.algo.actor, config.algo.critic
    adams = [
        fabric.setup_optimizers(hydra.utils.instantiate(setting.optimizer, params=module.parameters(), _convert_="all"))
        for setting, module in zip(settings, parts, strict=False)
    ]
    moments, data, tau = _moments(algo, config), _data(work, 0, config.algo.world_model), config.algo.critic.tau

    def update() -> None:
        with torch.no_grad():
            for fast, slow in zip(critic.parameters(), slow_critic.parameters(), strict=True):
                slow.copy_(tau * fast + (1 - tau) * slow)
        algo.train(fabric, *parts, *adams, dict(data), None, config, False, (work.actions,), moments)

    return update, [weight for module in (world_model, actor, critic) for weight in module.parameters()]


def _config(words: list[str]) -> Any:
    os.environ["SHEEPRL_SEARCH_PATH"] = ""
    folder = str(Path(sheeprl.__file__).parent / "configs")
    with hydra.initialize_config_dir(config_dir=folder, version_base="1.3"):
        composed = hydra.compose("config", overrides=words)
    config = dotdict(OmegaConf.to_container(composed, resolve=True))
    config.env.num_envs = 1
    return config


def _space(work: Workload) -> gym.spaces.Dict:
    if work.is_pixels:
        return gym.spaces.Dict({"rgb": gym.spaces.Box(0, 255, (3, 64, 64), np.uint8)})
    return gym.spaces.Dict({"vector": gym.spaces.Box(-1, 1, (4,), np.float32)})


def _moments(algo: Any, config: Any) -> Any:
    moments = config.algo.actor.moments
    return algo.Moments(moments.decay, moments.max, moments.percentile.low, moments.percentile.high)


def _data(work: Workload, context: int, model: Any) -> dict[str, Tensor]:
    rows, size = work.length + context, work.batch
    one_hot = torch.nn.functional.one_hot(torch.randint(work.actions, (rows, size)), work.actions)
    data = {
        "actions": one_hot.float(),
        "rewards": torch.randn(rows, size, 1),
        "terminated": (torch.rand(rows, size, 1) < 0.01).float(),
        "truncated": torch.zeros(rows, size, 1),
        "is_first": (torch.rand(rows, size, 1) < 0.02).float(),
    }
    if work.is_pixels:
        data["rgb"] = torch.randint(256, (rows, size, 3, 64, 64), dtype=torch.uint8)
    else:
        data["vector"] = torch.randn(rows, size, 4)
    if context:
        data["deter"] = torch.zeros(rows, size, model.recurrent_model.recurrent_state_size, dtype=torch.float16)
        data["stoch"] = torch.zeros(rows, size, model.stochastic_size, dtype=torch.uint8)
    return data


if __name__ == "__main__":
    serve(lambda: make(WORKLOADS[sys.argv[1]], sys.argv[2]))
