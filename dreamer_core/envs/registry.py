"""From a configuration to an environment. Heavy packages are imported by the one that needs them."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs import dmc, gym, minatar
from dreamer_core.envs.bandit import Bandit
from dreamer_core.envs.base import Env
from dreamer_core.envs.counting import Counting
from dreamer_core.envs.pixels import refuse_pixels
from dreamer_core.envs.processes import Processes
from dreamer_core.envs.stage import InProcess, Stage
from dreamer_core.envs.survival import Survival
from dreamer_core.envs.vector import VectorEnv
from dreamer_core.envs.wrappers import ActionRepeat, TimeLimit
from dreamer_core.errors import ConfigError
from dreamer_core.types import ActionSpec, Spaces

Builder = Callable[[EnvConfig], Env]


def known_ids() -> tuple[str, ...]:
    return tuple(_BUILDERS)


def make_env(config: EnvConfig) -> Env:
    """Time limit inside action repeat: the limit counts the steps of the world, not the decisions of the agent."""
    env = _builder(config.id)(config)
    if config.max_episode_steps is not None:
        env = TimeLimit(env, config.max_episode_steps)
    if config.action_repeat > 1:
        env = ActionRepeat(env, config.action_repeat)
    return env


def make_vector_env(config: EnvConfig, seed: int, processes: int = 0) -> VectorEnv:
    return VectorEnv(make_stage(config, processes), seed, success_return=config.success_return)


def make_stage(config: EnvConfig, processes: int) -> Stage:
    """All environments in this process, or in so many of their own. In both they do exactly the same."""
    if not processes:
        return InProcess([make_env(config) for _ in range(config.num_envs)])
    return Processes(partial(make_env, config), read_spaces(config), config.num_envs, processes)


def read_spaces(config: EnvConfig) -> Spaces:
    env = make_env(config)
    spaces = env.spaces
    env.close()
    return spaces


def _builder(env_id: str) -> Builder:
    if env_id in _BUILDERS:
        return _BUILDERS[env_id]
    names = {known.lower(): known for known in known_ids()}
    nearest = get_close_matches(env_id.lower(), names, n=1, cutoff=0.5)
    suggestion = f" Did you mean {names[nearest[0]]!r}?" if nearest else ""
    raise ConfigError("env.id", f"no environment is called {env_id!r}.{suggestion} Known: {', '.join(known_ids())}")


def _counting_pixels(config: EnvConfig) -> Env:
    size = config.screen_size
    return Counting(view="image", image_shape=(1 if config.grayscale else 3, size, size))


def _without_screen(make: Callable[[], Env], config: EnvConfig) -> Env:
    refuse_pixels(config)
    return make()


_CONTINUOUS = ActionSpec(kind="continuous", sizes=(2,))
_MULTI = ActionSpec(kind="multi_discrete", sizes=(3, 2))

_WITHOUT_SCREEN: Mapping[str, Callable[[], Env]] = {
    "dreamgate/Counting-v0": Counting,
    "dreamgate/CountingPacked2-v0": partial(Counting, view="packed2"),
    "dreamgate/CountingContinuous-v0": partial(Counting, action=_CONTINUOUS),
    "dreamgate/CountingMulti-v0": partial(Counting, action=_MULTI),
    "dreamgate/Bandit-v0": Bandit,
    "dreamgate/Survival-v0": Survival,
}

_BUILDERS: Mapping[str, Builder] = {
    **dict.fromkeys(gym.ALLOWED, gym.make_gym),
    **dict.fromkeys(dmc.ALLOWED, dmc.make_dmc),
    **dict.fromkeys(minatar.ALLOWED, minatar.make_minatar),
    **{env_id: partial(_without_screen, make) for env_id, make in _WITHOUT_SCREEN.items()},
    "dreamgate/CountingPixels-v0": _counting_pixels,
}
