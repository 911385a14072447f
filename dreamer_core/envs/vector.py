"""N environments in lock step: every call gives exactly one row of each, and a reset is a row like any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dreamer_core.envs.base import Env
from dreamer_core.envs.episode import Episode, RunningEpisode
from dreamer_core.errors import CheckpointError
from dreamer_core.types import ActionSpec, Rows


@dataclass(frozen=True, kw_only=True)
class EnvSnapshot:
    """A moment of N environments, as numbers: which episode each is in, and the actions that led to where it is."""

    seed: int
    episode: NDArray[np.int64]  # (N,)
    length: NDArray[np.int64]  # (N,) actions of the episode so far
    return_: NDArray[np.float64]  # (N,) to notice a simulator that no longer does the same
    actions: NDArray[np.generic]  # (sum of lengths, stored width), environment after environment


class VectorEnv:
    """Autoreset mode `next_step`: the call after an episode's last row resets it and ignores its action.

    That row has is_first set and no reward. So the last observation of an episode is a row of its own, and no row
    holds the moments of two episodes. Episodes are seeded by (seed, environment, number of the episode) alone.
    """

    autoreset_mode: Literal["next_step"] = "next_step"

    def __init__(self, envs: Sequence[Env], seed: int, *, success_return: float | None = None) -> None:
        if not envs:
            raise ValueError("a VectorEnv needs at least one environment, got none")
        if any(env.spaces != envs[0].spaces for env in envs):
            raise ValueError(f"all environments must have the same spaces, got {[env.spaces for env in envs]}")
        self.envs = tuple(envs)
        self.seed = seed
        self.success_return = success_return
        self.spaces = envs[0].spaces
        self._running: list[RunningEpisode] = []
        self._finished: tuple[Episode, ...] = ()

    @property
    def num_envs(self) -> int:
        return len(self.envs)

    @property
    def finished(self) -> tuple[Episode, ...]:
        """The episodes that ended with the rows just given, and were not reported before."""
        return self._finished

    @property
    def is_step(self) -> Tensor:
        """(N,) bool: which of the rows just given are steps of the world, and not resets."""
        return torch.tensor([not running.is_first for running in self._running])

    def reset(self) -> Rows:
        """Start over, at the first episode of each environment."""
        self._running = [self._begin(index, number=0) for index in range(self.num_envs)]
        self._finished = ()
        return self._rows()

    def step(self, actions: Tensor) -> Rows:
        """`actions` (N, stored width): an index per discrete head, or numbers in [-1, 1]."""
        given = self._read_actions(actions)
        for index, running in enumerate(self._running):
            if running.is_last:
                self._running[index] = self._begin(index, number=running.number + 1)
            else:
                running.advance(given[index])
        self._finished = tuple(running.report(self.success_return) for running in self._running if running.is_last)
        return self._rows()

    def snapshot(self) -> EnvSnapshot:
        self._require_reset()
        taken = [np.stack(running.actions) for running in self._running if running.actions]
        spec = self.spaces.action
        return EnvSnapshot(
            seed=self.seed,
            episode=np.array([running.number for running in self._running], dtype=np.int64),
            length=np.array([len(running.actions) for running in self._running], dtype=np.int64),
            return_=np.array([running.return_ for running in self._running], dtype=np.float64),
            actions=np.concatenate([np.empty((0, spec.stored_width), _dtype(spec)), *taken]),
        )

    def restore(self, snapshot: EnvSnapshot) -> Rows:
        """Play the actions again, to stand at the same moment. Gives the rows of that moment once more."""
        if snapshot.seed != self.seed or len(snapshot.episode) != self.num_envs:
            raise CheckpointError(
                f"the checkpoint holds {len(snapshot.episode)} environments of seed {snapshot.seed}, "
                f"this run has {self.num_envs} of seed {self.seed}: resume it with its own configuration"
            )
        ends = np.cumsum(snapshot.length)
        self._running = [
            self._replay(index, int(snapshot.episode[index]), snapshot.actions[end - length : end])
            for index, (end, length) in enumerate(zip(ends, snapshot.length, strict=True))
        ]
        self._finished = ()
        self._check_returns(snapshot)
        return self._rows()

    def close(self) -> None:
        for env in self.envs:
            env.close()

    def _begin(self, index: int, *, number: int) -> RunningEpisode:
        return RunningEpisode(self.envs[index], seed=self.seed, number=number, index=index)

    def _replay(self, index: int, number: int, actions: NDArray[np.generic]) -> RunningEpisode:
        running = self._begin(index, number=number)
        for action in actions.copy():
            running.advance(action)
        return running

    def _check_returns(self, snapshot: EnvSnapshot) -> None:
        for running, expected in zip(self._running, snapshot.return_, strict=True):
            if running.return_ != expected:
                raise CheckpointError(
                    f"environment {running.index} earned {expected} before the checkpoint and {running.return_} when "
                    "played again: it is not the same simulator; resume with the package versions of the checkpoint"
                )

    def _read_actions(self, actions: Tensor) -> NDArray[np.generic]:
        """A copy, checked where it will be used: a finished environment ignores whatever it is given."""
        self._require_reset()
        spec = self.spaces.action
        if actions.shape != (self.num_envs, spec.stored_width):
            raise ValueError(f"actions must be {(self.num_envs, spec.stored_width)}, got {tuple(actions.shape)}")
        given: NDArray[np.generic] = actions.detach().cpu().numpy().astype(_dtype(spec))
        for running, action in zip(self._running, given, strict=True):
            if not running.is_last and not _is_legal(action, spec):
                raise ValueError(f"environment {running.index} needs an action of {spec}, got {action.tolist()}")
        return given

    def _require_reset(self) -> None:
        if not self._running:
            raise ValueError("call reset() or restore() first: there is no episode yet")

    def _rows(self) -> Rows:
        steps = [running.step for running in self._running]
        # np.stack copies: what an environment does to its own arrays later cannot reach these rows.
        return Rows(
            obs={key: torch.from_numpy(np.stack([step.obs[key] for step in steps])) for key in self.spaces.obs},
            reward=torch.tensor([step.reward for step in steps], dtype=torch.float32),
            is_first=torch.tensor([running.is_first for running in self._running]),
            terminated=torch.tensor([step.terminated for step in steps]),
            truncated=torch.tensor([step.truncated for step in steps]),
        )


def _dtype(spec: ActionSpec) -> type[np.float32] | type[np.int64]:
    return np.float32 if spec.is_continuous else np.int64


def _is_legal(action: NDArray[np.generic], spec: ActionSpec) -> bool:
    if spec.is_continuous:
        return bool(np.isfinite(action.astype(np.float32)).all())
    return all(0 <= choice < size for choice, size in zip(action.tolist(), spec.sizes, strict=True))
