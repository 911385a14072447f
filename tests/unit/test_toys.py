"""The worlds of our own do what their first lines say."""

import numpy as np
import pytest

from dreamer_core.envs.bandit import Bandit
from dreamer_core.envs.base import Env
from dreamer_core.envs.counting import Counting
from dreamer_core.envs.survival import Survival
from dreamer_core.types import ActionSpec, Step


def press(env: Env, *buttons: float) -> Step:
    return env.step(np.array(buttons))


def test_counting_shows_step_episode_and_last_action() -> None:
    env = Counting()
    assert env.reset(seed=7).obs["state"].tolist() == [0, 7, -1]
    assert press(env, 2).obs["state"].tolist() == [1, 7, 2]
    assert press(env, 0).obs["state"].tolist() == [2, 7, 0]


def test_counting_pays_the_step_and_a_tenth_of_the_action() -> None:
    env = Counting()
    env.reset(seed=0)
    assert [press(env, action).reward for action in (2, 0, 1)] == pytest.approx([1.2, 2.0, 3.1])


@pytest.mark.parametrize(("seed", "terminated", "truncated"), [(3, True, False), (4, False, True)])
def test_odd_episodes_of_counting_terminate_and_even_ones_are_truncated(
    seed: int, terminated: bool, truncated: bool
) -> None:
    env = Counting(length=2)
    env.reset(seed)
    assert press(env, 0)[2:] == (False, False)
    assert press(env, 0)[2:] == (terminated, truncated)


def test_counting_with_two_heads_shows_both_choices() -> None:
    env = Counting(action=ActionSpec(kind="multi_discrete", sizes=(3, 2)))
    assert env.reset(seed=1).obs["state"].tolist() == [0, 1, -1, -1]
    step = press(env, 2, 1)
    assert step.obs["state"].tolist() == [1, 1, 2, 1]
    assert step.reward == pytest.approx(1.3)


def test_counting_with_continuous_actions_shows_them_as_they_came() -> None:
    env = Counting(action=ActionSpec(kind="continuous", sizes=(2,)))
    env.reset(seed=1)
    assert press(env, 0.5, -0.25).obs["state"].tolist() == [1, 1, 0.5, -0.25]


@pytest.mark.parametrize(("view", "key", "shape"), [("image", "rgb", (3, 12, 12)), ("packed2", "packed2", (1, 72, 20))])
def test_counting_as_an_image_holds_the_numbers_in_bands(view: str, key: str, shape: tuple[int, ...]) -> None:
    env = Counting(view=view, image_shape=(3, 12, 12))  # type: ignore[arg-type]  # pytest hands over plain text
    assert bands(env.reset(seed=9).obs[key]) == [0, 9, 255]
    image = press(env, 2).obs[key]
    assert image.shape == shape
    assert image.dtype == np.uint8
    assert bands(image) == [1, 9, 2]
    assert (image == image[:1, :, :1]).all()


def bands(image: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> list[int]:
    """The value in the middle of the upper, middle and lower third."""
    height = image.shape[1]
    return [int(image[0, height * sixth // 6, 0]) for sixth in (1, 3, 5)]


def test_the_bandit_pays_for_the_bit_it_shows() -> None:
    env = Bandit(length=4)
    step, rewards = env.reset(seed=0), []
    for is_right in (True, False, True, True):
        bit = int(step.obs["state"][0])
        step = press(env, bit if is_right else 1 - bit)
        rewards.append(step.reward)
    assert rewards == [1.0, 0.0, 1.0, 1.0]
    assert step[2:] == (False, True)


def test_the_bandit_shows_both_bits() -> None:
    env = Bandit()
    shown = {int(env.reset(seed=0).obs["state"][0]), *(int(press(env, 0).obs["state"][0]) for _ in range(15))}
    assert shown == {0, 1}


def test_the_right_buttons_survive_to_the_time_limit() -> None:
    env = Survival(length=16)
    step, rewards = env.reset(seed=3), []
    while not step.truncated:
        step = press(env, int(np.argmax(step.obs["state"])))
        assert not step.terminated
        rewards.append(step.reward)
    assert rewards == [1.0] * 16


@pytest.mark.parametrize("wrong_at", [0, 5, 15])
def test_one_wrong_button_ends_life_without_pay(wrong_at: int) -> None:
    env = Survival(length=16)
    step = env.reset(seed=3)
    for _ in range(wrong_at):
        step = press(env, int(np.argmax(step.obs["state"])))
    step = press(env, int(np.argmin(step.obs["state"])))
    assert step[1:] == (0.0, True, False)
