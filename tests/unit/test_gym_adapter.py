"""Gymnasium's words are translated without changing what they mean."""

import importlib.util
import os
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.gym import GymEnv
from dreamer_core.envs.pixels import Screen, shrink
from dreamer_core.envs.registry import make_env
from dreamer_core.errors import ConfigError, MissingExtraError

needs_pygame = pytest.mark.skipif(not importlib.util.find_spec("pygame"), reason="extra 'pixels' is not installed")


class Recorder(gymnasium.Env[Any, Any]):
    """Remembers the actions it got, ends on both flags, and writes every observation into the same buffer."""

    def __init__(self, action_space: spaces.Space[Any], observation_space: spaces.Space[Any] | None = None) -> None:
        self.action_space = action_space
        self.observation_space = observation_space or spaces.Box(-1.0, 1.0, (2, 2), np.float64)
        self.actions: list[Any] = []
        self.buffer = np.zeros((2, 2), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.buffer[:] = np.arange(4.0).reshape(2, 2)
        return self.buffer, {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.actions.append(action)
        self.buffer[:] += 1
        return self.buffer, np.float32(0.5), np.bool_(True), np.bool_(True), {}  # type: ignore[return-value]  # as loose as real ones


def test_a_box_of_any_shape_is_a_flat_float32_vector() -> None:
    env = GymEnv(Recorder(spaces.Discrete(2)))
    assert env.spaces.obs["state"].shape == (4,)
    state = env.reset(seed=0).obs["state"]
    assert state.dtype == np.float32
    assert state.tolist() == [0, 1, 2, 3]


def test_an_observation_does_not_change_when_its_environment_reuses_a_buffer() -> None:
    env = GymEnv(Recorder(spaces.Discrete(2)))
    first = env.reset(seed=0).obs["state"]
    second = env.step(np.array([0])).obs["state"]
    assert (first.tolist(), second.tolist()) == ([0, 1, 2, 3], [1, 2, 3, 4])


def test_a_world_that_ends_on_its_last_allowed_step_is_terminated_and_not_truncated() -> None:
    env = GymEnv(Recorder(spaces.Discrete(2)))
    assert env.step(np.array([1]))[1:] == (0.5, True, False)


def test_a_discrete_action_starts_where_the_space_starts() -> None:
    recorder = Recorder(spaces.Discrete(3, start=5))
    env = GymEnv(recorder)
    env.step(np.array([2]))
    assert (env.spaces.action.kind, env.spaces.action.sizes) == ("discrete", (3,))
    assert recorder.actions == [7]


def test_several_heads_are_multi_discrete() -> None:
    recorder = Recorder(spaces.MultiDiscrete([3, 2], start=[0, 10]))
    env = GymEnv(recorder)
    env.step(np.array([2, 1]))
    assert (env.spaces.action.kind, env.spaces.action.sizes) == ("multi_discrete", (3, 2))
    assert recorder.actions[0].tolist() == [2, 11]


@pytest.mark.parametrize(
    ("given", "expected"),
    [([-1, -1], [-2, 0]), ([0, 0], [0, 5]), ([1, 1], [2, 10]), ([0.5, -0.5], [1, 2.5]), ([-7, 7], [-2, 10])],
)
def test_continuous_actions_are_stretched_to_the_bounds_and_clipped(given: list[float], expected: list[float]) -> None:
    box = spaces.Box(np.array([-2, 0], np.float32), np.array([2, 10], np.float32))
    recorder = Recorder(box)
    env = GymEnv(recorder)
    env.step(np.array(given, np.float32))
    assert (env.spaces.action.kind, env.spaces.action.sizes) == ("continuous", (2,))
    assert recorder.actions[0].tolist() == expected
    assert box.contains(recorder.actions[0])


def test_a_box_of_actions_without_bounds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"env\.id: .*finite bounds"):
        GymEnv(Recorder(spaces.Box(-np.inf, np.inf, (2,), np.float32)))


def test_other_spaces_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"env\.id: its actions are Text"):
        GymEnv(Recorder(spaces.Text(3)))
    with pytest.raises(ConfigError, match=r"env\.id: its observations are Discrete"):
        GymEnv(Recorder(spaces.Discrete(2), spaces.Discrete(2)))


def test_the_own_time_limit_of_an_environment_stays_a_truncation() -> None:
    env = make_env(EnvConfig(id="Pendulum-v1"))
    env.reset(seed=0)
    flags = [env.step(np.zeros(1, np.float32))[2:] for _ in range(200)]
    assert flags == [(False, False)] * 199 + [(False, True)]


def test_a_configured_limit_replaces_the_environments_own() -> None:
    env = make_env(EnvConfig(id="Pendulum-v1", max_episode_steps=250))
    env.reset(seed=0)
    truncated = [env.step(np.zeros(1, np.float32)).truncated for _ in range(250)]
    assert truncated.index(True) == 249


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("CartPole-v0", "CartPole-v1"), ("cartpole", "CartPole-v1"), ("Counting-v0", "dreamgate/Counting-v0")],
)
def test_an_unknown_environment_is_refused_with_the_nearest_name_and_the_list(wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=f"env.id: .*{wrong}.*Did you mean '{right}'.*Known: .*Pendulum-v1") as caught:
        make_env(EnvConfig(id=wrong))
    assert caught.value.key == "env.id"


def test_a_name_like_no_other_gets_the_list_without_a_guess() -> None:
    with pytest.raises(ConfigError, match=r"'xyzzy'\. Known: CartPole-v1"):
        make_env(EnvConfig(id="xyzzy"))


def test_a_world_without_a_picture_cannot_be_seen_in_pixels() -> None:
    with pytest.raises(ConfigError, match=r"env\.obs: dreamgate/Bandit-v0 has no picture"):
        make_env(EnvConfig(id="dreamgate/Bandit-v0", obs="pixels"))


@pytest.mark.parametrize(
    ("package", "config", "extra"),
    [
        ("Box2D", EnvConfig(id="LunarLander-v3"), "box2d"),
        ("pygame", EnvConfig(id="CartPole-v1", obs="pixels"), "pixels"),
        ("dm_control", EnvConfig(id="dmc/cartpole_swingup"), "dmc"),
        ("minatar", EnvConfig(id="minatar/Breakout"), "minatar"),
    ],
)
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, config: EnvConfig, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # how Python itself marks a package that cannot be imported
    with pytest.raises(MissingExtraError, match=rf"dreamgate\[{extra}\]"):
        make_env(config)


def test_shrinking_averages_blocks_and_rounds_half_up() -> None:
    frame = np.array([[0, 1, 10, 10], [0, 1, 10, 50]], np.uint8)[..., None]
    assert shrink(frame[:, :, :], 2)[..., 0].tolist() == [[1, 10], [1, 30]]
    assert shrink(frame, 1)[..., 0].tolist() == [[10]]


def test_blocks_of_unequal_size_still_give_the_mean() -> None:
    column = np.array([3, 6, 9, 30, 60], np.uint8)[:, None, None]
    assert shrink(np.repeat(column, 2, axis=1), 2)[:, 0, 0].tolist() == [5, 33]


def test_a_screen_larger_than_the_frame_repeats_pixels() -> None:
    frame = np.array([[7, 9]], np.uint8)[..., None]
    assert shrink(frame, 4)[..., 0].tolist() == [[7, 7, 9, 9]] * 4


def test_grey_weighs_colours_as_the_eye_does() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)
    assert Screen(size=2, grayscale=True).see(colours).tolist() == [[[76, 150], [29, 255]]]


@needs_pygame
def test_the_pole_is_in_the_picture() -> None:
    env = make_env(EnvConfig(id="CartPole-v1", obs="pixels"))
    image = env.reset(seed=0).obs["rgb"]
    # White sky, a black cart a little below the middle, and the pole above it.
    assert image[:, 0, 0].tolist() == [255, 255, 255]
    assert image[:, 48, 32].max() < 50
    assert image[2, 38, 28:36].min() < 200


@needs_pygame
def test_the_picture_moves_with_the_world() -> None:
    env = make_env(EnvConfig(id="CartPole-v1", obs="pixels"))
    first = env.reset(seed=0).obs["rgb"]
    later = [env.step(np.array([1])).obs["rgb"] for _ in range(5)]
    assert not np.array_equal(first, later[-1])


def test_naming_environments_imports_none_of_their_packages() -> None:
    names = {"gymnasium", "pygame", "Box2D", "dm_control", "mujoco", "minatar"}
    code = f"import sys, dreamer_core.envs.registry; sys.exit(bool({names} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_pygame
def test_rendering_says_nothing() -> None:
    code = (
        "from dreamer_core.config.tree import EnvConfig; from dreamer_core.envs.registry import make_env; "
        "make_env(EnvConfig(obs='pixels')).reset(seed=0)"
    )
    # Other tests of this process have made environments: their settings must not help this one.
    bare = {key: value for key, value in os.environ.items() if not key.startswith(("SDL_", "PYGAME_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, env=bare
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
