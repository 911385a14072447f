"""Repeating actions and limiting time change only what they say."""

import numpy as np
import pytest

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.counting import Counting
from dreamer_core.envs.registry import make_env
from dreamer_core.envs.wrappers import ActionRepeat, TimeLimit

ZERO = np.array([0])


def test_repeated_actions_add_up_their_rewards_and_show_the_last_observation() -> None:
    env = ActionRepeat(Counting(), 3)
    env.reset(seed=0)
    step = env.step(np.array([1]))
    assert step.reward == pytest.approx(1.1 + 2.1 + 3.1)
    assert step.obs["state"].tolist() == [3, 0, 1]


@pytest.mark.parametrize(("seed", "flags"), [(1, (True, False)), (2, (False, True))])
def test_repeating_stops_where_the_episode_ends(seed: int, flags: tuple[bool, bool]) -> None:
    env = ActionRepeat(Counting(length=4), 3)
    env.reset(seed)
    assert env.step(ZERO)[2:] == (False, False)
    step = env.step(ZERO)
    assert step.reward == 4.0
    assert step[2:] == flags


def test_a_time_limit_truncates_and_never_terminates() -> None:
    env = TimeLimit(Counting(length=8), 3)
    env.reset(seed=1)
    assert [env.step(ZERO)[2:] for _ in range(3)] == [(False, False), (False, False), (False, True)]


def test_a_world_that_ends_on_its_last_allowed_step_is_terminated() -> None:
    env = TimeLimit(Counting(length=3), 3)
    env.reset(seed=1)
    assert [env.step(ZERO)[2:] for _ in range(3)][-1] == (True, False)


def test_a_truncation_before_the_limit_stays_one() -> None:
    env = TimeLimit(Counting(length=2), 3)
    env.reset(seed=2)
    assert [env.step(ZERO)[2:] for _ in range(2)][-1] == (False, True)


def test_every_episode_has_the_whole_limit() -> None:
    env = TimeLimit(Counting(length=8), 2)
    for seed in range(2):
        env.reset(seed)
        assert [env.step(ZERO).truncated for _ in range(2)] == [False, True]


def test_the_configured_limit_counts_steps_of_the_world() -> None:
    env = make_env(EnvConfig(id="dreamgate/Counting-v0", action_repeat=2, max_episode_steps=5))
    env.reset(seed=1)
    steps = [env.step(ZERO) for _ in range(3)]
    assert [step.truncated for step in steps] == [False, False, True]
    assert [step.obs["state"][0] for step in steps] == [2, 4, 5]
