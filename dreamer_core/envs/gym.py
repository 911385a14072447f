"""Gymnasium environments, spoken to in our own words. Gymnasium is imported when one is made, not before."""

import importlib
import importlib.util
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.bounds import stretch_to
from dreamer_core.envs.pixels import Screen, prepare_renderer
from dreamer_core.errors import ConfigError, MissingExtraError
from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step

if TYPE_CHECKING:
    import gymnasium

ALLOWED = ("CartPole-v1", "Acrobot-v1", "Pendulum-v1", "LunarLander-v3")
_NEEDS_BOX2D = ("LunarLander-v3",)

# From an action as the agent says it to one as Gymnasium wants it.
Translate = Callable[[NDArray[np.generic]], Any]


class GymEnv:
    """One Gymnasium environment: its vector as `state`, or only its picture as `rgb` when there is a screen."""

    def __init__(self, env: "gymnasium.Env[Any, Any]", screen: Screen | None = None) -> None:
        self.env = env
        self.screen = screen
        obs = {"rgb": screen.spec} if screen else {"state": _read_observation_space(env.observation_space)}
        action, self._translate = _read_action_space(env.action_space)
        self.spaces = Spaces(obs=obs, action=action)

    def reset(self, seed: int) -> Step:
        observation, _ = self.env.reset(seed=seed)
        return Step(self._look(observation), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        observation, reward, terminated, truncated, _ = self.env.step(self._translate(action))
        # Gymnasium sets both flags when the world ends on its last allowed step. The end is what really happened.
        return Step(self._look(observation), float(reward), bool(terminated), bool(truncated and not terminated))

    def close(self) -> None:
        self.env.close()

    def _look(self, observation: Any) -> dict[str, NDArray[np.generic]]:
        if self.screen:
            return {"rgb": self.screen.see(np.asarray(self.env.render()))}
        return {"state": np.array(observation, dtype=np.float32).reshape(-1)}


def make_gym(config: EnvConfig) -> GymEnv:
    """A limit in the config replaces the environment's own, which is therefore left out here."""
    if config.id in _NEEDS_BOX2D:
        _import_box2d(config.id)
    screen = None
    if config.obs == "pixels":
        prepare_renderer()
        screen = Screen(size=config.screen_size, grayscale=config.grayscale)
    import gymnasium

    env = gymnasium.make(
        config.id,
        max_episode_steps=None if config.max_episode_steps is None else -1,
        disable_env_checker=True,
        render_mode="rgb_array" if screen else None,
    )
    return GymEnv(env, screen)


def _import_box2d(env_id: str) -> None:
    if importlib.util.find_spec("Box2D") is None:
        raise MissingExtraError(f"env.id={env_id}", extra="box2d", package="box2d")
    # Its binary module warns while it loads, and crashes the process when warnings are errors (seen with 2.3.10).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("Box2D")


def _read_observation_space(space: "gymnasium.Space[Any]") -> ObsSpec:
    from gymnasium.spaces import Box

    if not isinstance(space, Box):
        raise ConfigError("env.id", f"its observations are {space}; only a Box can be read as a vector")
    return ObsSpec(kind="vector", shape=(int(np.prod(space.shape)),))


def _read_action_space(space: "gymnasium.Space[Any]") -> tuple[ActionSpec, Translate]:
    from gymnasium.spaces import Box, Discrete, MultiDiscrete

    if isinstance(space, Discrete):
        first = int(space.start)
        return ActionSpec(kind="discrete", sizes=(int(space.n),)), lambda action: first + int(action[0])
    if isinstance(space, MultiDiscrete) and space.nvec.ndim == 1:
        sizes = tuple(int(size) for size in space.nvec)
        start = space.start
        return ActionSpec(kind="multi_discrete", sizes=sizes), lambda action: start + action
    if isinstance(space, Box):
        return ActionSpec(kind="continuous", sizes=(int(np.prod(space.shape)),)), _rescale(space)
    raise ConfigError("env.id", f"its actions are {space}; Discrete, one-dimensional MultiDiscrete and Box are known")


def _rescale(space: "gymnasium.spaces.Box") -> Translate:
    shape, dtype = space.shape, space.dtype
    stretch = stretch_to(space.low.reshape(-1), space.high.reshape(-1))
    return lambda action: stretch(action).reshape(shape).astype(dtype)
