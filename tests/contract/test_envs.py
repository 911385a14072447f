"""Every environment that can be named keeps the contract."""

import importlib.util
import random

import numpy as np
import pytest
import torch

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs import gym
from dreamer_core.envs.base import sample_action
from dreamer_core.envs.checker import check_env
from dreamer_core.envs.registry import known_ids, make_env, read_spaces
from dreamer_core.types import Step

needs_pygame = pytest.mark.skipif(not importlib.util.find_spec("pygame"), reason="extra 'pixels' is not installed")


# How the ids begin that need a package, and the package and extra that they need.
NEEDS = {"LunarLander-v3": ("Box2D", "box2d"), "dmc/": ("dm_control", "dmc"), "minatar/": ("minatar", "minatar")}


def skip_without_package(env_id: str) -> None:
    for beginning, (package, extra) in NEEDS.items():
        if env_id.startswith(beginning) and not importlib.util.find_spec(package):
            pytest.skip(f"extra {extra!r} is not installed")


@pytest.mark.parametrize("env_id", known_ids())
def test_every_known_environment_keeps_the_contract(env_id: str) -> None:
    skip_without_package(env_id)
    env = make_env(EnvConfig(id=env_id))
    check_env(env, steps=100)
    env.close()


@needs_pygame
@pytest.mark.parametrize("grayscale", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("env_id", [*gym.ALLOWED, "dreamgate/CountingPixels-v0"])
def test_every_environment_with_a_picture_keeps_the_contract_from_pixels(env_id: str, grayscale: bool) -> None:
    skip_without_package(env_id)
    env = make_env(EnvConfig(id=env_id, obs="pixels", screen_size=32, grayscale=grayscale))
    check_env(env, steps=12)
    assert {key: spec.shape for key, spec in env.spaces.obs.items()} == {"rgb": (1 if grayscale else 3, 32, 32)}
    env.close()


@pytest.mark.parametrize("action_repeat", [1, 2])
@pytest.mark.parametrize("env_id", known_ids())
def test_a_configured_time_limit_is_a_truncation_everywhere(env_id: str, action_repeat: int) -> None:
    skip_without_package(env_id)
    env = make_env(EnvConfig(id=env_id, max_episode_steps=4, action_repeat=action_repeat))
    check_env(env, time_limit=4 // action_repeat)
    env.close()


@pytest.mark.parametrize("env_id", known_ids())
def test_two_instances_agree_on_the_same_seed_and_actions(env_id: str) -> None:
    skip_without_package(env_id)
    first, second = (play(env_id, steps=30) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one[1:] == other[1:]
        assert all(np.array_equal(one.obs[key], other.obs[key]) for key in one.obs)


@pytest.mark.parametrize("env_id", known_ids())
def test_no_environment_touches_global_randomness(env_id: str) -> None:
    skip_without_package(env_id)
    before = global_randomness()
    play(env_id, steps=10)
    assert global_randomness() == before


@pytest.mark.parametrize("env_id", known_ids())
def test_the_spaces_can_be_read_without_starting_an_episode(env_id: str) -> None:
    skip_without_package(env_id)
    assert read_spaces(EnvConfig(id=env_id)) == make_env(EnvConfig(id=env_id)).spaces


def play(env_id: str, steps: int) -> list[Step]:
    env = make_env(EnvConfig(id=env_id))
    rng = np.random.default_rng(5)
    moments = [env.reset(seed=11)]
    while len(moments) < steps and not (moments[-1].terminated or moments[-1].truncated):
        moments.append(env.step(sample_action(env.spaces.action, rng)))
    env.close()
    return moments


def global_randomness() -> tuple[object, ...]:
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - asks whether anybody moved it
    return random.getstate(), str(numpy_state), torch.get_rng_state().tolist()
