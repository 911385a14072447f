"""Where N environments live: told all at once what to do, and asked later what came of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dreamer_core.envs.base import Env
from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step

# Instead of a seed to begin an episode with: take the action, or do nothing at all.
ADVANCE, STAY = -1, -2


class Orders(NamedTuple):
    """To each environment: the seed of an episode to begin, ADVANCE or STAY."""

    what: NDArray[np.int64]  # (N,)
    action: NDArray[np.generic]  # (N, stored width), for those that advance


class Moment(NamedTuple):
    """What N environments say. Belongs to the caller: no later order writes into it."""

    obs: dict[str, NDArray[np.generic]]  # (N, ...)
    reward: NDArray[np.float64]  # (N,)
    terminated: NDArray[np.bool_]  # (N,)
    truncated: NDArray[np.bool_]  # (N,)


class Stage(Protocol):
    @property
    def spaces(self) -> Spaces: ...

    @property
    def num_envs(self) -> int: ...

    def begin(self, orders: Orders) -> None:
        """Returns at once where the environments have a process of their own. Orders not finished are forgotten."""
        ...

    def finish(self) -> Moment:
        """Waits for the orders that were begun. Whoever stays says the same as before."""
        ...

    def close(self) -> None: ...


class InProcess:
    """Environments in this process, stepped one after the other when their moment is asked for."""

    def __init__(self, envs: Sequence[Env]) -> None:
        if not envs:
            raise ValueError("a stage needs at least one environment, got none")
        if any(env.spaces != envs[0].spaces for env in envs):
            raise ValueError(f"all environments must have the same spaces, got {[env.spaces for env in envs]}")
        self.envs = tuple(envs)
        self.spaces = envs[0].spaces
        self._board = np.zeros(len(envs), board_dtype(self.spaces))

    @property
    def num_envs(self) -> int:
        return len(self.envs)

    def begin(self, orders: Orders) -> None:
        write(self._board, orders)

    def finish(self) -> Moment:
        obey(self.envs, self._board)
        return read(self._board, self.spaces)

    def close(self) -> None:
        for env in self.envs:
            env.close()


def board_dtype(spaces: Spaces) -> np.dtype[np.void]:
    """One line for each environment: its order, and below it what came of it."""
    action = spaces.action
    said = [(_column(key), _obs_dtype(spec), spec.shape) for key, spec in spaces.obs.items()]
    fixed: list[Any] = [
        ("what", np.int64),
        ("action", action_dtype(action), (action.stored_width,)),
        ("reward", np.float64),  # not rounded, so that returns add up to the same in every kind of stage
        ("terminated", np.bool_),
        ("truncated", np.bool_),
    ]
    return np.dtype([*fixed, *said], align=True)


def write(board: NDArray[np.void], orders: Orders) -> None:
    board["what"], board["action"] = orders.what, orders.action


def obey(envs: Sequence[Env], board: NDArray[np.void]) -> None:
    for index, env in enumerate(envs):
        what = int(board["what"][index])
        if what == STAY:
            continue
        step = env.step(board["action"][index].copy()) if what == ADVANCE else env.reset(what)
        _note(board, index, step, env.spaces)
        board["what"][index] = STAY  # an order is obeyed once


def _note(board: NDArray[np.void], index: int, step: Step, spaces: Spaces) -> None:
    for key, spec in spaces.obs.items():
        value = step.obs[key]
        if value.shape != spec.shape:  # NumPy would stretch it
            raise ValueError(f"environment {index} shows {key!r} as {value.shape}, its spaces say {spec.shape}")
        board[_column(key)][index] = value
    board["reward"][index] = step.reward
    board["terminated"][index], board["truncated"][index] = step.terminated, step.truncated


def read(board: NDArray[np.void], spaces: Spaces) -> Moment:
    return Moment(
        obs={key: board[_column(key)].copy() for key in spaces.obs},
        reward=board["reward"].copy(),
        terminated=board["terminated"].copy(),
        truncated=board["truncated"].copy(),
    )


def action_dtype(spec: ActionSpec) -> type[np.float32] | type[np.int64]:
    return np.float32 if spec.is_continuous else np.int64


def _column(key: str) -> str:
    return f"obs.{key}"


def _obs_dtype(spec: ObsSpec) -> type[np.float32] | type[np.uint8]:
    return np.float32 if spec.kind == "vector" else np.uint8
