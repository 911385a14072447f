"""The configuration of single modules as the fixtures were made with them: the sizes of `tiny`, 12 hidden units."""

from collections.abc import Mapping
from typing import Any

from dreamer_core.config.model import (
    ActorConfig,
    DecoderConfig,
    EncoderConfig,
    LatentHeadConfig,
    RecurrentConfig,
    WorldModelConfig,
)
from dreamer_core.models.decoder import LatentSizes
from dreamer_core.models.layers import Style
from dreamer_core.types import ActionSpec, ObsSpec
from tests.golden.tiny import BLOCKS, CLASSES, DETER, HIDDEN, STOCH

NATURE, SHEEPRL = Style("nature", 1e-4), Style("sheeprl", 1e-3)
SIZES = LatentSizes(STOCH * CLASSES, DETER)

TWO_VECTORS = {"a": ObsSpec(kind="vector", shape=(5,)), "b": ObsSpec(kind="vector", shape=(2,))}
IMAGES = {"rgb": ObsSpec(kind="image", shape=(3, 64, 64))}


def encoder_config(layers: int) -> EncoderConfig:
    return EncoderConfig(cnn_channels_multiplier=2, mlp_layers=layers, dense_units=HIDDEN)


def decoder_config(layers: int, block_space: int = 0) -> DecoderConfig:
    return DecoderConfig(cnn_channels_multiplier=2, block_space=block_space, mlp_layers=layers, dense_units=HIDDEN)


def world_config(dynamics_layers: int = 1) -> WorldModelConfig:
    recurrent = RecurrentConfig(
        recurrent_state_size=DETER,
        dense_units=HIDDEN,
        hidden_size=HIDDEN,
        blocks=BLOCKS,
        dynamics_layers=dynamics_layers,
    )
    return WorldModelConfig(
        discrete_size=CLASSES,
        stochastic_size=STOCH,
        recurrent_model=recurrent,
        transition_model=LatentHeadConfig(hidden_size=HIDDEN, layers=2),
        representation_model=LatentHeadConfig(hidden_size=HIDDEN, layers=1),
    )


def actor_config(settings: Mapping[str, Any], layers: int) -> ActorConfig:
    names = ("unimix", "min_std", "max_std", "init_std", "action_clip")
    given = {name: settings[name] for name in names if name in settings}
    return ActorConfig(mlp_layers=layers, dense_units=HIDDEN, **given)


def action_spec(settings: Mapping[str, Any]) -> ActionSpec:
    sizes = tuple(settings["sizes"])
    if settings["continuous"]:
        return ActionSpec(kind="continuous", sizes=sizes)
    return ActionSpec(kind="discrete" if len(sizes) == 1 else "multi_discrete", sizes=sizes)
