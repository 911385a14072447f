"""Tasks of the DeepMind Control Suite, from their numbers. dm_control is imported when one is made, not before."""

import importlib.util
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.bounds import stretch_to
from dreamer_core.envs.pixels import refuse_pixels
from dreamer_core.errors import MissingExtraError
from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step

if TYPE_CHECKING:
    from dm_control.rl import control

_PREFIX = "dmc/"
ALLOWED = (
    "dmc/cartpole_balance",
    "dmc/cartpole_swingup",
    "dmc/cheetah_run",
    "dmc/cup_catch",
    "dmc/finger_spin",
    "dmc/reacher_easy",
    "dmc/walker_walk",
)
# An id is DOMAIN_TASK. The one domain here with underscores of its own goes by a short name, as it does elsewhere.
_DOMAINS = {"cup": "ball_in_cup"}


class DmcEnv:
    """One task: its observations side by side as `state`, in the alphabetical order of their names."""

    def __init__(self, env: "control.Environment") -> None:
        self.env = env
        shapes = {key: spec.shape for key, spec in env.observation_spec().items()}
        self._keys = tuple(sorted(shapes))
        action = env.action_spec()
        self._stretch = stretch_to(action.minimum, action.maximum)
        self.spaces = Spaces(
            obs={"state": ObsSpec(kind="vector", shape=(sum(int(np.prod(shape)) for shape in shapes.values()),))},
            action=ActionSpec(kind="continuous", sizes=(int(action.shape[0]),)),
        )

    def reset(self, seed: int) -> Step:
        # A task draws from this generator and from nothing else, and a reset puts back all of MuJoCo's state: as good
        # as loading the task anew with this seed, which would compile its model every time.
        self.env.task.random.seed(seed)
        return Step(self._look(self.env.reset().observation), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        moment = self.env.step(self._stretch(action))
        # The last moment is the clock's doing as long as the future still counts. All tasks that we know end that way.
        terminated = bool(moment.last() and moment.discount == 0)
        truncated = bool(moment.last() and not terminated)
        return Step(self._look(moment.observation), float(moment.reward), terminated, truncated)

    def close(self) -> None:
        self.env.close()

    def _look(self, observation: Mapping[str, Any]) -> dict[str, NDArray[np.generic]]:
        parts = [np.ravel(observation[key]) for key in self._keys]  # some are single numbers without a dimension
        return {"state": np.concatenate(parts, dtype=np.float32, casting="same_kind")}


def make_dmc(config: EnvConfig) -> DmcEnv:
    """A limit in the config replaces the suite's own of 1,000 steps, which is therefore left out here."""
    refuse_pixels(config)
    _prepare_import(config.id)
    from dm_control import suite

    domain, task = config.id.removeprefix(_PREFIX).split("_", maxsplit=1)
    limit = {} if config.max_episode_steps is None else {"time_limit": float("inf")}
    with _hushed_compiler():
        return DmcEnv(suite.load(_DOMAINS.get(domain, domain), task, task_kwargs=limit))


def _prepare_import(env_id: str) -> None:
    if importlib.util.find_spec("dm_control") is None:
        raise MissingExtraError(f"env.id={env_id}", extra="dmc", package="dm-control")
    # Nothing is drawn. Otherwise it looks for a display, and warns where there is none.
    os.environ.setdefault("MUJOCO_GL", "disabled")


@contextmanager
def _hushed_compiler() -> Iterator[None]:
    """MuJoCo calls an attribute of the suite's own cheetah deprecated, at every load; no user can change that."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
