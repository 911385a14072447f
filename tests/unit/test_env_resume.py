"""Any moment of N environments can be reached again from its numbers."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.counting import Counting
from dreamer_core.envs.episode import Episode
from dreamer_core.envs.registry import make_vector_env
from dreamer_core.envs.stage import InProcess
from dreamer_core.envs.survival import Survival
from dreamer_core.envs.vector import EnvSnapshot, VectorEnv
from dreamer_core.errors import CheckpointError
from tests.unit.vector_play import random_actions, same_rows

needs_pygame = pytest.mark.skipif(not importlib.util.find_spec("pygame"), reason="extra 'pixels' is not installed")
needs_dmc = pytest.mark.skipif(not importlib.util.find_spec("dm_control"), reason="extra 'dmc' is not installed")
needs_minatar = pytest.mark.skipif(not importlib.util.find_spec("minatar"), reason="extra 'minatar' is not installed")
needs_box2d = pytest.mark.skipif(not importlib.util.find_spec("Box2D"), reason="extra 'box2d' is not installed")

RESUMED = [
    pytest.param(EnvConfig(id="CartPole-v1", num_envs=3), id="cartpole"),
    pytest.param(EnvConfig(id="Pendulum-v1", num_envs=2, max_episode_steps=7), id="pendulum-limited"),
    pytest.param(
        EnvConfig(id="Pendulum-v1", num_envs=2, max_episode_steps=20, action_repeat=3), id="pendulum-repeated"
    ),
    pytest.param(EnvConfig(id="CartPole-v1", num_envs=2, max_episode_steps=9, action_repeat=2), id="cartpole-both"),
    pytest.param(
        EnvConfig(num_envs=2, max_episode_steps=6, obs="pixels", screen_size=16),
        id="cartpole-pixels",
        marks=needs_pygame,
    ),
    pytest.param(EnvConfig(id="LunarLander-v3", num_envs=2, max_episode_steps=9), id="lunar-lander", marks=needs_box2d),
    pytest.param(
        EnvConfig(id="dmc/reacher_easy", num_envs=2, max_episode_steps=14, action_repeat=2),
        id="dmc-reacher",
        marks=needs_dmc,
    ),
    pytest.param(EnvConfig(id="minatar/Breakout", num_envs=2), id="minatar-breakout", marks=needs_minatar),
    pytest.param(EnvConfig(id="dreamgate/Counting-v0", num_envs=3), id="counting"),
    pytest.param(EnvConfig(id="dreamgate/CountingPixels-v0", num_envs=2, screen_size=8), id="counting-pixels"),
    pytest.param(EnvConfig(id="dreamgate/CountingContinuous-v0", num_envs=2), id="counting-continuous"),
    pytest.param(EnvConfig(id="dreamgate/CountingMulti-v0", num_envs=2, action_repeat=3), id="counting-multi"),
    pytest.param(EnvConfig(id="dreamgate/Bandit-v0", num_envs=2), id="bandit"),
    pytest.param(EnvConfig(id="dreamgate/Survival-v0", num_envs=4), id="survival"),
]


@pytest.mark.parametrize("config", RESUMED)
def test_a_restored_moment_goes_on_as_if_never_left(config: EnvConfig) -> None:
    """At every moment of the run, so at first rows, in the middle, and at last rows, in every combination."""
    undisturbed = make_vector_env(config, seed=5)
    played = random_actions(undisturbed, 36)
    rows, snapshots = [undisturbed.reset()], [undisturbed.snapshot()]
    reports: list[Sequence[Episode]] = [()]
    for action in played:
        rows.append(undisturbed.step(action))
        snapshots.append(undisturbed.snapshot())
        reports.append(undisturbed.finished)
    assert any(row.is_last.any() for row in rows)
    for moment in range(30):
        resumed = make_vector_env(config, seed=5)
        assert same_rows(resumed.restore(snapshots[moment]), rows[moment])
        assert resumed.finished == ()
        for later in range(moment, moment + 6):
            assert same_rows(resumed.step(played[later]), rows[later + 1])
            assert resumed.finished == reports[later + 1]


def test_the_same_environments_can_go_back_as_well() -> None:
    vector = make_vector_env(EnvConfig(num_envs=2), seed=1)
    played = random_actions(vector, 50)
    vector.reset()
    for action in played[:7]:
        vector.step(action)
    snapshot = vector.snapshot()
    first = [vector.step(action) for action in played[7:]]
    vector.restore(snapshot)
    second = [vector.step(action) for action in played[7:]]
    assert all(same_rows(one, other) for one, other in zip(first, second, strict=True))


def test_going_back_reports_no_episode_a_second_time() -> None:
    vector = VectorEnv(InProcess([Counting(length=1)]), seed=0)
    vector.reset()
    vector.step(torch.tensor([[0]]))
    snapshot = vector.snapshot()
    assert [episode.length for episode in vector.finished] == [1]
    assert vector.restore(snapshot).is_last.item()
    assert list(vector.finished) == []


def test_a_snapshot_is_plain_numbers_and_stays_as_it_was() -> None:
    vector = VectorEnv(InProcess([Counting(length=2), Counting(length=3)]), seed=0)
    vector.reset()
    for _ in range(4):
        vector.step(torch.tensor([[1], [2]]))
    snapshot = vector.snapshot()
    vector.step(torch.tensor([[0], [0]]))
    assert snapshot.seed == 0
    assert snapshot.episode.tolist() == [1, 1]
    assert snapshot.length.tolist() == [1, 0]
    assert snapshot.return_.tolist() == [1.1, 0.0]
    assert snapshot.actions.tolist() == [[1]]


@pytest.mark.parametrize(("env_id", "dtype"), [("CartPole-v1", np.int64), ("Pendulum-v1", np.float32)])
def test_an_empty_snapshot_keeps_the_type_of_its_actions(env_id: str, dtype: type[np.generic]) -> None:
    vector = make_vector_env(EnvConfig(id=env_id), seed=0)
    vector.reset()
    assert vector.snapshot().actions.shape == (0, 1)
    assert vector.snapshot().actions.dtype == dtype


def snapshot_of_survival() -> EnvSnapshot:
    vector = VectorEnv(InProcess([Survival()]), seed=0)
    row = vector.reset()
    vector.step(row.obs["state"].argmax(-1, keepdim=True))
    return vector.snapshot()


def test_a_snapshot_of_another_run_is_refused() -> None:
    with pytest.raises(CheckpointError, match="1 environments of seed 0, this run has 1 of seed 1"):
        VectorEnv(InProcess([Survival()]), seed=1).restore(snapshot_of_survival())
    with pytest.raises(CheckpointError, match="this run has 2 of seed 0"):
        VectorEnv(InProcess([Survival(), Survival()]), seed=0).restore(snapshot_of_survival())


def test_a_simulator_that_no_longer_does_the_same_is_noticed() -> None:
    changed = replace(snapshot_of_survival(), return_=np.array([0.5]))
    with pytest.raises(CheckpointError, match=r"earned 0\.5 before the checkpoint and 1\.0 when played again"):
        VectorEnv(InProcess([Survival()]), seed=0).restore(changed)
