"""The DeepMind Control Suite's words are translated without changing what they mean."""

import importlib.util
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs import dmc
from dreamer_core.envs.base import Env
from dreamer_core.envs.dmc import DmcEnv
from dreamer_core.envs.registry import make_env
from dreamer_core.errors import ConfigError
from dreamer_core.types import Step

needs_dmc = pytest.mark.skipif(not importlib.util.find_spec("dm_control"), reason="extra 'dmc' is not installed")


class Moment(NamedTuple):
    """A dm_env.TimeStep, as far as we look at it."""

    observation: dict[str, NDArray[np.float64]]
    reward: float | None = None
    discount: float | None = None
    is_last: bool = False

    def last(self) -> bool:
        return self.is_last


class FakeTask:
    """Two actions with bounds of their own, two observations in one buffer each, and an end as it is told."""

    def __init__(self, *, discount: float = 1.0, is_last: bool = False) -> None:
        self.task = SimpleNamespace(random=np.random.RandomState())
        self.end = {"discount": discount, "is_last": is_last}
        self.actions: list[list[float]] = []
        self.observation = {"velocity": np.array([3.0, 4.0]), "height": np.array(1.5)}

    def observation_spec(self) -> dict[str, Any]:
        return dict(self.observation)

    def action_spec(self) -> Any:
        return SimpleNamespace(minimum=np.array([-2.0, 0.0]), maximum=np.array([2.0, 10.0]), shape=(2,))

    def reset(self) -> Moment:
        self.observation["velocity"][:] = (3.0, 4.0)
        self.observation["height"] = np.array(self.task.random.uniform())
        return Moment(self.observation)

    def step(self, action: NDArray[np.float64]) -> Moment:
        self.actions.append(action.tolist())
        self.observation["velocity"] += 1
        return Moment(self.observation, np.float64(0.25), **self.end)  # type: ignore[arg-type]  # bool and float


def play(env: Env, seed: int, steps: int) -> list[Step]:
    rng = np.random.default_rng(seed)
    actions = [rng.uniform(-1, 1, env.spaces.action.sizes).astype(np.float32) for _ in range(steps)]
    return [env.reset(seed), *(env.step(action) for action in actions)]


def same(one: list[Step], other: list[Step]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a[1:] == b[1:] and np.array_equal(a.obs["state"], b.obs["state"]) for a, b in pairs)


def test_observations_lie_side_by_side_in_the_order_of_their_names() -> None:
    env = DmcEnv(FakeTask())
    state = env.step(np.zeros(2, np.float32)).obs["state"]
    assert env.spaces.obs["state"].shape == (3,)
    assert state.dtype == np.float32
    assert state.tolist() == [1.5, 4.0, 5.0]


def test_an_observation_does_not_change_when_its_task_reuses_a_buffer() -> None:
    env = DmcEnv(FakeTask())
    first = env.reset(seed=0).obs["state"]
    before = first.copy()
    env.step(np.zeros(2, np.float32))
    assert np.array_equal(first, before)


def test_actions_are_stretched_to_the_bounds_of_the_task() -> None:
    task = FakeTask()
    env = DmcEnv(task)
    for action in ([-1, -1], [0, 0], [1, 1], [-7, 0.5]):
        env.step(np.array(action, np.float32))
    assert task.actions == [[-2, 0], [0, 5], [2, 10], [-2, 7.5]]
    assert (env.spaces.action.kind, env.spaces.action.sizes) == ("continuous", (2,))


@pytest.mark.parametrize(
    ("discount", "is_last", "flags"),
    [(1.0, False, (False, False)), (1.0, True, (False, True)), (0.0, True, (True, False))],
    ids=["goes-on", "clock", "end"],
)
def test_the_discount_tells_an_end_of_the_world_from_an_end_of_the_clock(
    discount: float, is_last: bool, flags: tuple[bool, bool]
) -> None:
    env = DmcEnv(FakeTask(discount=discount, is_last=is_last))
    assert env.step(np.zeros(2, np.float32))[1:] == (0.25, *flags)


def test_the_seed_of_a_reset_decides_what_the_task_draws() -> None:
    env = DmcEnv(FakeTask())
    drawn = [env.reset(seed).obs["state"].tolist() for seed in (5, 6, 5)]
    assert drawn[0] == drawn[2] != drawn[1]


@pytest.mark.parametrize("env_id", dmc.ALLOWED)
def test_no_task_can_be_seen_in_pixels(env_id: str) -> None:
    with pytest.raises(ConfigError, match=rf"env\.obs: {env_id} has no picture of itself, got 'pixels'; use vector"):
        make_env(EnvConfig(id=env_id, obs="pixels"))


@needs_dmc
@pytest.mark.parametrize("env_id", dmc.ALLOWED)
def test_an_episode_is_the_same_again_in_a_used_task_and_in_a_new_one(env_id: str) -> None:
    used, new = make_env(EnvConfig(id=env_id)), make_env(EnvConfig(id=env_id))
    first = play(used, 3, 50)
    assert not same(first, play(used, 4, 50))
    assert same(first, play(used, 3, 50))
    assert same(first, play(new, 3, 50))


@needs_dmc
def test_an_episode_is_the_one_that_the_suite_itself_gives_for_this_seed() -> None:
    env = make_env(EnvConfig(id="dmc/reacher_easy"))
    play(env, 8, 20)
    from dm_control import suite

    observation = suite.load("reacher", "easy", task_kwargs={"random": 3}).reset().observation
    expected = np.concatenate([observation[key] for key in ("position", "to_target", "velocity")])
    assert env.reset(seed=3).obs["state"].tolist() == expected.astype(np.float32).tolist()


@needs_dmc
@pytest.mark.parametrize(("limit", "length"), [(None, 1000), (1003, 1003)], ids=["its-own", "configured"])
def test_an_episode_is_cut_by_the_clock_and_never_ends(limit: int | None, length: int) -> None:
    env = make_env(EnvConfig(id="dmc/cartpole_swingup", max_episode_steps=limit))
    flags = [step[2:] for step in play(env, 0, length)[1:]]
    assert flags == [(False, False)] * (length - 1) + [(False, True)]


@needs_dmc
def test_rewards_of_repeated_actions_add_up() -> None:
    once, twice = (make_env(EnvConfig(id="dmc/cartpole_balance", action_repeat=repeat)) for repeat in (1, 2))
    once.reset(seed=0)
    twice.reset(seed=0)
    push = np.array([0.5], np.float32)
    first, second, both = once.step(push), once.step(push), twice.step(push)
    assert both.reward == first.reward + second.reward > 1.5
    assert np.array_equal(both.obs["state"], second.obs["state"])


@needs_dmc
def test_making_a_task_says_nothing_and_needs_no_display() -> None:
    code = (
        "from dreamer_core.config.tree import EnvConfig; from dreamer_core.envs.registry import make_env; "
        "make_env(EnvConfig(id='dmc/cheetah_run')).reset(seed=0)"
    )
    bare = {key: value for key, value in os.environ.items() if key not in ("MUJOCO_GL", "DISPLAY")}
    # Shown, and not turned into errors: glfw's warning that there is no display would then be caught on its way.
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=False, env=bare
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
