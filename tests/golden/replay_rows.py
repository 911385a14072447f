"""Runs a reference's own main() against two scripted environments, to see the rows it stores and when it learns."""

import importlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# The ends of the two environments' episodes: the first terminates after 3 steps, the second is cut off after 4.
LENGTHS, TERMINATES = (3, 4), (True, False)

RUN = (
    "env.sync_env=True",
    "buffer.memmap=False",
    "buffer.size=200",
    "checkpoint.every=0",
    "checkpoint.save_last=False",
    "metric.log_level=0",
    "algo.run_test=False",
    "algo.total_steps=24",
    "algo.learning_starts=12",
    "algo.replay_ratio=0.5",
)


class CountingEnvs:
    """Two environments whose one observation says which moment it is: 100 * environment + 10 * episode + step.

    Resets in the step that ends an episode, and hands out the last observation under the names that Gymnasium before
    and after 1.0 give it. The reward that arrives with a moment is its number plus a half.
    """

    def __init__(self, *_: Any, autoreset_mode: Any = None) -> None:
        gym = importlib.import_module("gymnasium")
        self.single_observation_space = gym.spaces.Dict({"state": gym.spaces.Box(-1e3, 1e3, (1,))})
        self.single_action_space = gym.spaces.Discrete(3)
        self.action_space = self
        self.shape = (2,)
        self.steps = 0
        self.episode = [0, 0]
        self.step_in_episode = [0, 0]

    def sample(self) -> NDArray[np.int64]:
        return np.array([self.steps % 3, (self.steps + 1) % 3])

    def reset(self, seed: int | None = None) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
        return self._observe(), {}

    def step(self, actions: NDArray[np.int64]) -> tuple[Any, ...]:
        assert actions.shape == (2,), actions.shape
        self.steps += 1
        self.step_in_episode = [step + 1 for step in self.step_in_episode]
        arrived = self._observe()
        done = [step == length for step, length in zip(self.step_in_episode, LENGTHS, strict=True)]
        terminated = np.array([d and t for d, t in zip(done, TERMINATES, strict=True)])
        truncated = np.array([d and not t for d, t in zip(done, TERMINATES, strict=True)])
        rewards = arrived["state"][:, 0] + 0.5
        return self._restart(done), rewards, terminated, truncated, _final(arrived, done)

    def close(self) -> None:
        pass

    def _restart(self, done: list[bool]) -> dict[str, NDArray[np.float32]]:
        for env, ended in enumerate(done):
            if ended:
                self.episode[env] += 1
                self.step_in_episode[env] = 0
        return self._observe()

    def _observe(self) -> dict[str, NDArray[np.float32]]:
        numbers = [100 * e + 10 * self.episode[e] + self.step_in_episode[e] for e in range(2)]
        return {"state": np.array(numbers, dtype=np.float32)[:, None]}


def _final(arrived: dict[str, NDArray[np.float32]], done: list[bool]) -> dict[str, Any]:
    if not any(done):
        return {}
    last = np.array([{"state": arrived["state"][e]} if ended else None for e, ended in enumerate(done)], dtype=object)
    return {"final_obs": last, "final_observation": last}


class Rows:
    """What was added to the replay of each environment, in order."""

    def __init__(self) -> None:
        self.added: list[list[dict[str, NDArray[Any]]]] = [[], []]
        self.buffer: Any = None

    def watch(self, kind: type[Any]) -> Callable[..., Any]:
        """The reference's buffer class, listening to `add`."""
        rows = self

        class Watched(kind):  # type: ignore[misc]
            def add(self, data: Any, indices: Any = None, **kwargs: Any) -> None:
                rows.buffer = self
                for column, env in enumerate(range(2) if indices is None else indices):
                    rows.added[env].append({key: np.array(value[0, column]) for key, value in data.items()})
                super().add(data, indices, **kwargs)

        return Watched

    def tensors(self) -> dict[str, Tensor]:
        found = {}
        for env, rows in enumerate(self.added):
            for key in set(rows[0]) - {"deter", "stoch"}:  # these depend on weights that no fixture holds
                found[f"env{env}.{key}"] = torch.from_numpy(np.stack([row[key] for row in rows])).float()
        return found


@contextmanager
def counting(learner: Any, train: Callable[..., Any]) -> Iterator[tuple[CountingEnvs, Rows]]:
    """Inside, main() of `learner` plays the counting environments and calls `train` for each update."""
    envs, rows = CountingEnvs(), Rows()
    metric = importlib.import_module("sheeprl.utils.metric").MetricAggregator
    vector = importlib.import_module("gymnasium").vector
    with ExitStack() as stack:
        stack.enter_context(chdir(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.enter_context(patch.object(vector, "SyncVectorEnv", lambda *_, **__: envs))
        kind = rows.watch(learner.EnvIndependentReplayBuffer)
        stack.enter_context(patch.object(learner, "EnvIndependentReplayBuffer", kind))
        stack.enter_context(patch.object(learner, "train", train))
        stack.enter_context(patch.object(metric, "disabled", True))
        yield envs, rows


def fabric() -> Any:
    return importlib.import_module("lightning").Fabric(accelerator="cpu", devices=1, precision="32-true")
