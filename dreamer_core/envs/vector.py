"""N environments in lock step: every call gives exactly one row of each, and a reset is a row like any other."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dreamer_core.envs.episode import Episode, RunningEpisode, episode_seed
from dreamer_core.envs.stage import ADVANCE, STAY, Moment, Orders, Stage, action_dtype
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
    Between `begin` and `finish` a step is under way, and everything else still speaks of the moment before it.
    """

    autoreset_mode: Literal["next_step"] = "next_step"

    def __init__(self, stage: Stage, seed: int, *, success_return: float | None = None) -> None:
        self.stage = stage
        self.seed = seed
        self.success_return = success_return
        self.spaces = stage.spaces
        self.num_envs = stage.num_envs
        self._running: list[RunningEpisode] = []
        self._orders: Orders | None = None
        self._finished: tuple[Episode, ...] = ()

    @property
    def finished(self) -> tuple[Episode, ...]:
        """The episodes that ended with the rows just given, and were not reported before."""
        return self._finished

    def reset(self) -> Rows:
        """Start over, at the first episode of each environment."""
        return self._begin_episodes([0] * self.num_envs)

    def step(self, actions: Tensor) -> Rows:
        self.begin(actions)
        return self.finish()

    def begin(self, actions: Tensor) -> None:
        """`actions` (N, stored width): an index per discrete head, or numbers in [-1, 1]."""
        given = self._read_actions(actions)
        if self._orders is not None:
            raise ValueError("call finish() first: a step is under way")
        what = [self._seed_of(one.index, one.number + 1) if one.is_last else ADVANCE for one in self._running]
        self._orders = Orders(np.array(what, dtype=np.int64), given)
        self.stage.begin(self._orders)

    def finish(self) -> Rows:
        if self._orders is None:
            raise ValueError("call begin() first: no step is under way")
        moment = self.stage.finish()
        self._advance(self._orders.action, moment)
        self._orders = None
        self._finished = tuple(running.report(self.success_return) for running in self._running if running.is_last)
        return self._rows(moment)

    def snapshot(self) -> EnvSnapshot:
        self._require_reset()
        taken = [np.stack(running.actions) for running in self._running if running.actions]
        spec = self.spaces.action
        return EnvSnapshot(
            seed=self.seed,
            episode=np.array([running.number for running in self._running], dtype=np.int64),
            length=np.array([len(running.actions) for running in self._running], dtype=np.int64),
            return_=np.array([running.return_ for running in self._running], dtype=np.float64),
            actions=np.concatenate([np.empty((0, spec.stored_width), action_dtype(spec)), *taken]),
        )

    def restore(self, snapshot: EnvSnapshot) -> Rows:
        """Play the actions again, to stand at the same moment. Gives the rows of that moment once more."""
        if snapshot.seed != self.seed or len(snapshot.episode) != self.num_envs:
            raise CheckpointError(
                f"the checkpoint holds {len(snapshot.episode)} environments of seed {snapshot.seed}, "
                f"this run has {self.num_envs} of seed {self.seed}: resume it with its own configuration"
            )
        rows = self._begin_episodes(snapshot.episode.tolist())
        begins = np.cumsum(snapshot.length) - snapshot.length
        for played in range(int(snapshot.length.max())):
            rows = self._play_again(snapshot, begins + played, snapshot.length > played)
        self._check_returns(snapshot)
        return rows

    def close(self) -> None:
        self.stage.close()

    def _seed_of(self, index: int, number: int) -> int:
        return episode_seed(self.seed, index, number)

    def _begin_episodes(self, numbers: list[int]) -> Rows:
        seeds = np.array([self._seed_of(index, number) for index, number in enumerate(numbers)], dtype=np.int64)
        spec = self.spaces.action
        moment = self._order(Orders(seeds, np.zeros((self.num_envs, spec.stored_width), action_dtype(spec))))
        self._running = [RunningEpisode(number=number, index=index) for index, number in enumerate(numbers)]
        self._orders, self._finished = None, ()
        return self._rows(moment)

    def _play_again(self, snapshot: EnvSnapshot, row: NDArray[np.int64], goes_on: NDArray[np.bool_]) -> Rows:
        """One action of each environment whose episode was long enough; the others wait where they stand."""
        action = snapshot.actions[np.where(goes_on, row, 0)]
        moment = self._order(Orders(np.where(goes_on, ADVANCE, STAY), action))
        for running in self._running:
            if goes_on[running.index]:
                self._advance_one(running, action, moment)
        return self._rows(moment)

    def _order(self, orders: Orders) -> Moment:
        self.stage.begin(orders)
        return self.stage.finish()

    def _advance(self, actions: NDArray[np.generic], moment: Moment) -> None:
        for index, running in enumerate(self._running):
            if running.is_last:
                self._running[index] = RunningEpisode(number=running.number + 1, index=index)
            else:
                self._advance_one(running, actions, moment)

    def _advance_one(self, running: RunningEpisode, actions: NDArray[np.generic], moment: Moment) -> None:
        index = running.index
        running.advance(
            actions[index],
            float(moment.reward[index]),
            terminated=bool(moment.terminated[index]),
            truncated=bool(moment.truncated[index]),
        )

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
        given: NDArray[np.generic] = actions.detach().cpu().numpy().astype(action_dtype(spec))
        for running, action in zip(self._running, given, strict=True):
            if not running.is_last and not _is_legal(action, spec):
                raise ValueError(f"environment {running.index} needs an action of {spec}, got {action.tolist()}")
        return given

    def _require_reset(self) -> None:
        if not self._running:
            raise ValueError("call reset() or restore() first: there is no episode yet")

    def _rows(self, moment: Moment) -> Rows:
        return Rows(
            obs={key: torch.from_numpy(value) for key, value in moment.obs.items()},
            reward=torch.from_numpy(moment.reward.astype(np.float32)),
            is_first=torch.tensor([running.is_first for running in self._running]),
            terminated=torch.from_numpy(moment.terminated),
            truncated=torch.from_numpy(moment.truncated),
        )


def _is_legal(action: NDArray[np.generic], spec: ActionSpec) -> bool:
    if spec.is_continuous:
        return bool(np.isfinite(action.astype(np.float32)).all())
    return all(0 <= choice < size for choice, size in zip(action.tolist(), spec.sizes, strict=True))
