"""What a run would be, without running it: the dry run. Builds the networks without memory and counts."""

from typing import Any, NamedTuple

import torch

from dreamer_core.config import Config, family, fingerprint, to_mapping
from dreamer_core.envs.registry import read_spaces
from dreamer_core.errors import ConfigError
from dreamer_core.models.agent import Agent
from dreamer_core.models.layers import parameter_count
from dreamer_core.replay.buffer import estimated_bytes
from dreamer_core.training.trainer import latent_shape
from dreamer_core.types import Spaces

_FLOAT_BYTES = 4


class Estimate(NamedTuple):
    config: Config
    device: str
    spaces: Spaces
    parameters: dict[str, int]
    replay_bytes: int
    memory_bytes: int

    def to_mapping(self) -> dict[str, Any]:
        return {
            "config": to_mapping(self.config),
            "preset": self.config.preset,
            "recipe": self.config.algo.recipe,
            "fingerprint": fingerprint(self.config),
            "family": family(self.config),
            "device": self.device,
            "observation_space": {
                key: {"kind": spec.kind, "shape": list(spec.shape)} for key, spec in self.spaces.obs.items()
            },
            "action_space": {"kind": self.spaces.action.kind, "sizes": list(self.spaces.action.sizes)},
            "parameters": self.parameters,
            "replay_bytes": self.replay_bytes,
            "memory_bytes": self.memory_bytes,
        }


def estimate(config: Config) -> Estimate:
    """Raises ConfigError wherever the run itself would fail to start."""
    device = resolve_device(config)
    spaces = read_spaces(config.env)
    with torch.device("meta"):
        agent = Agent(config, spaces)
    parts = {name: getattr(agent, name) for name in ("world_model", "actor", "critic")}
    parameters = {name: parameter_count(part) for name, part in parts.items()}
    parameters["total"] = sum(parameters.values())
    replay = estimated_bytes(
        config.replay,
        spaces,
        num_envs=config.env.num_envs,
        latent_shape=latent_shape(config),
        context=config.algo.replay_context,
    )
    return Estimate(config, str(device), spaces, parameters, replay, replay + _training_bytes(config, parameters))


def resolve_device(config: Config) -> torch.device:
    has_cuda = torch.cuda.is_available()
    if config.device == "cuda" and not has_cuda:
        raise ConfigError("device", "cuda was asked for, but this machine offers none; use device=cpu or device=auto")
    return torch.device("cuda" if has_cuda and config.device != "cpu" else "cpu")


def _training_bytes(config: Config, parameters: dict[str, int]) -> int:
    """Weights, gradients and two moments each, the slow critic, the mean, and the states and dreams of one batch.

    An estimate of the order of magnitude: what the convolutions hold for the backward pass is not in it.
    """
    weights = 4 * parameters["total"] + parameters["critic"]
    if config.train.average_share:
        weights += parameters["total"] + parameters["critic"]
    model, algo = config.world_model, config.algo
    features = model.recurrent_model.recurrent_state_size + model.stochastic_size * model.discrete_size
    moments = config.batch_size * config.sequence_length
    states = moments * features * 6
    dreams = moments * (algo.horizon + 1) * (features + 8 * algo.dense_units)
    return _FLOAT_BYTES * (weights + states + dreams)
