"""Dreamgate as a contestant: python update_step_ours.py WORKLOAD CLASS."""

import sys

import torch
from update_step_child import Entry, serve
from update_step_torch import entry_of, set_threads
from update_step_work import WORKLOADS, Workload, our_words

from dreamer_core.config import Config, load_config
from dreamer_core.models.agent import build_agent
from dreamer_core.rng import RandomSampler, make_generator
from dreamer_core.training.learner import Learner
from dreamer_core.training.learner_nature import NatureLearner
from dreamer_core.training.learner_sheeprl import SheeprlLearner
from dreamer_core.training.memory import keep_memory
from dreamer_core.training.torch_setup import use_fastest_products
from dreamer_core.types import ActionSpec, Batch, ObsSpec, Spaces, State


def make(work: Workload, kind: str) -> Entry:
    set_threads()
    keep_memory()  # these two as every run does
    use_fastest_products()
    preset, words = our_words(work, kind)
    config = load_config(words, preset=preset)
    obs = ObsSpec(kind="image", shape=(3, 64, 64)) if work.is_pixels else ObsSpec(kind="vector", shape=(4,))
    spaces = Spaces(obs={"obs": obs}, action=ActionSpec(kind="discrete", sizes=(work.actions,)))
    agent = build_agent(config, spaces, make_generator(0))
    learner: Learner = NatureLearner(agent) if config.is_nature else SheeprlLearner(agent)
    batch, sampler = synthetic(work, config), RandomSampler(make_generator(2))
    return entry_of(lambda: learner.update(batch, sampler), (p for p in agent.parameters() if p.requires_grad))


def synthetic(work: Workload, config: Config) -> Batch:
    """Random rows; one more, for context, where the recipe stores beliefs."""
    generator, size = make_generator(1), work.batch
    rows, model = work.length + config.algo.replay_context, config.world_model
    pixels = torch.randint(256, (rows, size, 3, 64, 64), generator=generator, dtype=torch.uint8)
    vectors = torch.randn((rows, size, 4), generator=generator)
    deter = torch.zeros(size, model.recurrent_model.recurrent_state_size)
    belief = State(deter, torch.zeros(size, model.stochastic_size, model.discrete_size))
    return Batch(
        obs={"obs": pixels if work.is_pixels else vectors},
        action=torch.randint(work.actions, (rows, size, 1), generator=generator, dtype=torch.int32),
        reward=torch.randn((rows, size), generator=generator),
        is_first=torch.rand((rows, size), generator=generator) < 0.02,
        terminated=torch.rand((rows, size), generator=generator) < 0.01,
        truncated=torch.zeros(rows, size, dtype=torch.bool),
        context=belief if config.algo.replay_context else None,
        time=torch.arange(rows)[:, None].expand(rows, size),
        env=torch.zeros(size, dtype=torch.int64),
    )


if __name__ == "__main__":
    serve(lambda: make(WORKLOADS[sys.argv[1]], sys.argv[2]))
