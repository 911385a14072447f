"""The reference's counting environments once more, one by one, played by our collector with the reference's actions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dreamer_core.config.tree import Config
from dreamer_core.envs.stage import InProcess
from dreamer_core.envs.vector import VectorEnv
from dreamer_core.models.actions import encode
from dreamer_core.models.agent import build_agent
from dreamer_core.replay.buffer import Replay
from dreamer_core.replay.sampling import Windows, read
from dreamer_core.rng import make_generator
from dreamer_core.training.collector import Collector
from dreamer_core.training.trainer import latent_shape
from dreamer_core.types import ActionSpec, Batch, ObsSpec, Spaces, Step
from tests.golden.fixtures import Fixture
from tests.golden.tolerances import EXACT, assert_near

ACTION = ActionSpec(kind="discrete", sizes=(3,))
SPACES = Spaces(obs={"state": ObsSpec(kind="vector", shape=(1,))}, action=ACTION)
ENVS = 2
# Chosen where an episode is over: nobody may ever see it.
MEANINGLESS = 2


class CountingEnv:
    """Observation 100 * environment + 10 * episode + step; reward the same plus a half. Remembers what it was told."""

    spaces = SPACES

    def __init__(self, number: int, length: int, *, terminates: bool) -> None:
        self.number, self.length, self.terminates = number, length, terminates
        self.episode, self.t = -1, 0
        self.received: list[int] = []

    def reset(self, seed: int) -> Step:
        self.episode, self.t = self.episode + 1, 0
        return Step(self._look(), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        self.received.append(int(action[0]))
        self.t += 1
        is_over = self.t == self.length
        return Step(self._look(), self._moment + 0.5, is_over and self.terminates, is_over and not self.terminates)

    def close(self) -> None: ...

    @property
    def _moment(self) -> float:
        return float(100 * self.number + 10 * self.episode + self.t)

    def _look(self) -> dict[str, NDArray[Any]]:
        return {"state": np.array([self._moment], dtype=np.float32)}


class FollowingCollector(Collector):
    """Chooses what the reference chose at the same row."""

    script: list[Tensor]  # (N, 1) per row

    def _chooser(self, explore: bool) -> Callable[[int], Tensor]:
        action = self.script.pop(0)
        return lambda count: action


def collect_like(golden: Fixture, config: Config) -> tuple[Replay, list[CountingEnv]]:
    """As many rows of every environment as the fixture has of its longest."""
    known = golden.settings
    pairs = zip(known["lengths"], known["terminates"], strict=True)
    envs = [CountingEnv(number, length, terminates=ends) for number, (length, ends) in enumerate(pairs)]
    agent = build_agent(config, SPACES, make_generator(0))
    collector = FollowingCollector(config, agent, VectorEnv(InProcess(envs), seed=0), make_generator(1))
    collector.script = script_of(golden)
    replay = Replay(
        replace(config.replay, capacity=200),
        SPACES,
        num_envs=ENVS,
        latent_shape=latent_shape(config),
        context=config.algo.replay_context,
    )
    for _ in range(len(collector.script)):
        collector.act(replay, explore=True)
        collector.see()
    return replay, envs


def script_of(golden: Fixture) -> list[Tensor]:
    chosen = [chosen_actions(golden, env) for env in range(ENVS)]
    rows = max(len(actions) for actions in chosen)
    padded = [actions + [MEANINGLESS] * (rows - len(actions)) for actions in chosen]
    return [torch.tensor(row, dtype=torch.int32)[:, None] for row in zip(*padded, strict=True)]


def chosen_actions(golden: Fixture, env: int) -> list[int]:
    one_hot = golden.outputs[f"env{env}.actions"]
    return [int(row.argmax()) if row.any() else MEANINGLESS for row in one_hot]


def rows_of(replay: Replay, env: int, count: int) -> Batch:
    """The first rows of one environment, (T, 1, ...)."""
    return read(replay.ring, Windows(torch.tensor([0]), torch.tensor([env])), count)


def check_rows(golden: Fixture, replay: Replay, envs: list[CountingEnv]) -> None:
    """Row for row the same observation, reward, flags and action; and each environment got its row's action."""
    for env in range(ENVS):
        count = len(golden.outputs[f"env{env}.state"])
        rows = rows_of(replay, env, count)
        found = {"state": rows.obs["state"], "rewards": rows.reward, "actions": encode(rows.action, ACTION)}
        found |= {"is_first": rows.is_first, "terminated": rows.terminated, "truncated": rows.truncated}
        for key, value in found.items():
            expected = golden.outputs[f"env{env}.{key}"]
            assert_near(f"{golden.name}: env{env}.{key}", value, expected, EXACT)
        is_last = rows.is_last.flatten().tolist()
        actions = zip(chosen_actions(golden, env), is_last, strict=True)
        given = [action for action, last in actions if not last]
        assert envs[env].received[: len(given)] == given


def updates_at(golden: Fixture, ratio: Callable[[float], int]) -> list[int]:
    """The environment steps at each update, when `ratio` is told what the reference tells its own: the agent's steps
    since the one before learning starts."""
    known = golden.settings
    first = known["learning_starts"] // ENVS
    last = int(golden.outputs["env_steps"][-1])
    return [step for step in range(first, last + 1) for _ in range(ratio((step - first + 1) * ENVS))]
