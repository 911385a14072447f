"""The tiny problem that both references are given: sizes, tasks, and a batch of replayed rows with resets inside."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

DETER, STOCH, CLASSES, HIDDEN, BLOCKS, ACTIONS, EMBED = 16, 4, 5, 12, 4, 3, 12
LATENT = DETER + STOCH * CLASSES

# Overrides that both references' configs understand.
OVERRIDES = (
    "env=dummy",
    "env.num_envs=2",
    "algo.per_rank_sequence_length=4",
    "algo.per_rank_batch_size=3",
    "algo.horizon=3",
    "algo.dense_units=8",
    f"algo.world_model.stochastic_size={STOCH}",
    f"algo.world_model.discrete_size={CLASSES}",
    f"algo.world_model.recurrent_model.recurrent_state_size={DETER}",
    "algo.world_model.reward_model.bins=41",
    "algo.critic.bins=41",
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What the agent sees and does."""

    actions: tuple[int, ...]
    continuous: bool = False
    image: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        images = "[rgb]" if self.image else "[]"
        found = {"cnn_keys.encoder": images, "cnn_keys.decoder": images, "mlp_keys.encoder": "[state]"}
        return (*(f"algo.{key}={value}" for key, value in found.items()), "algo.mlp_keys.decoder=[state]")

    @property
    def spaces(self) -> Any:
        gym = importlib.import_module("gymnasium")
        found = {"state": gym.spaces.Box(-20.0, 20.0, (5,))}
        if self.image:
            found["rgb"] = gym.spaces.Box(0, 255, (3, 64, 64), "uint8")
        return gym.spaces.Dict(found)


DISCRETE = Task(actions=(3,))
MULTI_DISCRETE = Task(actions=(3, 2))
CONTINUOUS = Task(actions=(2,), continuous=True)
PIXELS = Task(actions=(3,), image=True)
# Few and short sequences for images, which are most of a fixture's size.
SHORT = ("algo.per_rank_sequence_length=3", "algo.per_rank_batch_size=2")


def compose(*overrides: str) -> Any:
    """The reference's configuration, from the Hydra configs it ships."""
    hydra, omegaconf = importlib.import_module("hydra"), importlib.import_module("omegaconf")
    with hydra.initialize_config_module("sheeprl.configs", version_base="1.3"):
        cfg = hydra.compose("config", overrides=list(overrides))
    whole = omegaconf.OmegaConf.to_container(cfg, resolve=True)
    return importlib.import_module("sheeprl.utils.utils").dotdict(whole)


def replayed(task: Task, rows: int, columns: int) -> dict[str, Tensor]:
    """Rows (T, B, ...) as replay returns them; the last row of an episode has no action, the first no reward."""
    data = flags(rows, columns) | {"state": 3 * torch.randn(rows, columns, 5)}
    if task.image:
        data["rgb"] = torch.randint(256, (rows, columns, 3, 64, 64), dtype=torch.uint8)
    data["actions"] = actions(task, rows, columns) * (1 - torch.maximum(data["terminated"], data["truncated"]))
    data["rewards"] = 2 * torch.randn(rows, columns, 1) * (1 - data["is_first"])
    return data


def flags(rows: int, columns: int) -> dict[str, Tensor]:
    """Column 0 starts an episode at row 1; column 1 terminates at row 1 or 2 and starts anew; the last column is cut
    off at the last row."""
    terminated, truncated, is_first = (torch.zeros(rows, columns, 1) for _ in range(3))
    is_first[1, 0] = 1
    terminated[rows // 2, 1] = 1
    is_first[rows // 2 + 1, 1] = 1
    truncated[rows - 1, columns - 1] = 1
    return {"terminated": terminated, "truncated": truncated, "is_first": is_first}


def actions(task: Task, rows: int, columns: int) -> Tensor:
    """Random actions as the models see them."""
    if task.continuous:
        return torch.rand(rows, columns, *task.actions) * 2 - 1
    return torch.cat([categories(rows, columns, classes=size) for size in task.actions], -1)


def categories(*shape: int, classes: int = CLASSES) -> Tensor:
    """Random one-hots (*shape, classes)."""
    return one_hot(torch.randint(classes, shape), classes).float()


def leaf(*shape: int, scale: float = 1.0) -> Tensor:
    """A random input whose gradient will be asked for."""
    return (scale * torch.randn(*shape)).requires_grad_()


def settings_of(task: Task, cfg: Any) -> Mapping[str, Any]:
    return {"actions": list(task.actions), "continuous": task.continuous, "algo": cfg.algo.as_dict()}
