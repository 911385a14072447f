"""Untrained agents that are small enough to build in every test."""

import torch

from dreamer_core.config import Config, load_config
from dreamer_core.envs.registry import read_spaces
from dreamer_core.models.agent import Agent, build_agent
from dreamer_core.rng import make_generator

SMALL = (
    "algo.dense_units=16",
    "world_model.recurrent_model.recurrent_state_size=32",
    "world_model.encoder.cnn_channels_multiplier=2",
)


def tiny_agent(env_id: str, *words: str) -> tuple[Agent, Config]:
    config = load_config([f"env.id={env_id}", *SMALL, *words], preset="nature+tiny")
    return build_agent(config, read_spaces(config.env), make_generator(0)), config


def opinionated(agent: Agent) -> Agent:
    """With last layers of the actor that are not almost zero, so that what it sees decides what it does."""
    generator = make_generator(1)
    with torch.no_grad():
        for head in agent.actor.heads:
            for parameter in head.parameters():
                parameter.normal_(generator=generator)
    return agent
