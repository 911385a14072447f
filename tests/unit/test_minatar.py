"""MinAtar's games are played by its rules, and an episode follows from its seed alone."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs import minatar
from dreamer_core.envs.base import Env
from dreamer_core.envs.checker import check_env
from dreamer_core.envs.minatar import MinAtarEnv
from dreamer_core.envs.registry import make_env
from dreamer_core.types import Step

needs_minatar = pytest.mark.skipif(not importlib.util.find_spec("minatar"), reason="extra 'minatar' is not installed")


class FakeGame:
    """A grid of 2x2 cells with 2 channels, where only actions 0, 4 and 5 do anything and action 5 ends it."""

    def __init__(self) -> None:
        self.last_action = 0
        self.seeds: list[int] = []

    def minimal_action_set(self) -> list[int]:
        return [0, 4, 5]

    def state_shape(self) -> list[int]:
        return [2, 2, 2]

    def seed(self, seed: int) -> None:
        self.seeds.append(seed)

    def reset(self) -> None: ...  # forgets the last action no more than the real one does

    def act(self, action: int) -> tuple[int, np.bool_]:
        self.last_action = action
        return action, np.bool_(action == 5)

    def state(self) -> NDArray[np.bool_]:
        return np.array([[[1, 0], [0, 0]], [[0, 1], [1, 1]]], dtype=bool)


def hold(env: Env, seed: int, action: int, steps: int) -> list[Step]:
    """One action again and again, until the end or for so many steps."""
    moments = [env.reset(seed)]
    while len(moments) <= steps and not (moments[-1].terminated or moments[-1].truncated):
        moments.append(env.step(np.array([action])))
    return moments


def same(one: list[Step], other: list[Step]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a[1:] == b[1:] and np.array_equal(a.obs["state"], b.obs["state"]) for a, b in pairs)


def test_cells_lie_row_by_row_each_with_its_channels() -> None:
    env = MinAtarEnv(FakeGame())
    state = env.reset(seed=0).obs["state"]
    assert env.spaces.obs["state"].shape == (8,)
    assert state.dtype == np.float32
    assert state.tolist() == [1, 0, 0, 0, 0, 1, 1, 1]


def test_an_action_is_one_of_those_that_do_something() -> None:
    env = MinAtarEnv(FakeGame())
    assert (env.spaces.action.kind, env.spaces.action.sizes) == ("discrete", (3,))
    assert [env.step(np.array([action])).reward for action in range(3)] == [0.0, 4.0, 5.0]


@pytest.mark.parametrize(("ends_by_clock", "flags"), [(False, (True, False)), (True, (False, True))])
def test_a_game_that_nobody_can_lose_is_cut_by_its_clock(ends_by_clock: bool, flags: tuple[bool, bool]) -> None:
    env = MinAtarEnv(FakeGame(), ends_by_clock=ends_by_clock)
    assert env.step(np.array([1]))[2:] == (False, False)
    assert env.step(np.array([2]))[2:] == flags


def test_the_last_action_of_an_episode_does_not_stick_to_the_next_one() -> None:
    game = FakeGame()
    env = MinAtarEnv(game)
    env.step(np.array([2]))
    env.reset(seed=7)
    assert (game.last_action, game.seeds) == (0, [7])


def test_an_image_has_one_channel_for_each_kind_of_thing() -> None:
    env = MinAtarEnv(FakeGame(), as_image=True)
    assert (env.spaces.obs["grid"].kind, env.spaces.obs["grid"].shape) == ("image", (2, 2, 2))
    assert env.reset(seed=0).obs["grid"].tolist() == [[[255, 0], [0, 255]], [[0, 0], [255, 255]]]


@needs_minatar
@pytest.mark.parametrize("env_id", minatar.ALLOWED)
def test_every_game_keeps_the_contract_as_an_image(env_id: str) -> None:
    env = make_env(EnvConfig(id=env_id, obs="pixels"))
    check_env(env, steps=100)
    assert env.spaces.obs["grid"].shape[1:] == (10, 10)


@needs_minatar
@pytest.mark.parametrize("env_id", minatar.ALLOWED)
def test_an_episode_is_the_same_again_in_a_used_game_and_in_a_new_one(env_id: str) -> None:
    used, new = make_env(EnvConfig(id=env_id)), make_env(EnvConfig(id=env_id))
    for seed in range(40):  # a first action sticks in one seed of ten
        hold(used, seed + 1000, 2, steps=3)
        assert same(hold(used, seed, 1, steps=60), hold(new, seed, 1, steps=60))


@needs_minatar
@pytest.mark.parametrize(
    ("env_id", "size", "actions"),
    [
        ("minatar/Asterix", 400, 5),
        ("minatar/Breakout", 400, 3),
        ("minatar/Freeway", 700, 3),
        ("minatar/Seaquest", 1000, 6),
        ("minatar/SpaceInvaders", 600, 4),
    ],
)
def test_the_sizes_of_the_games(env_id: str, size: int, actions: int) -> None:
    spaces = make_env(EnvConfig(id=env_id)).spaces
    assert (spaces.obs["state"].shape, spaces.action.sizes) == ((size,), (actions,))


@needs_minatar
def test_breakout_begins_with_three_rows_of_bricks_and_the_paddle_in_the_middle() -> None:
    grid = make_env(EnvConfig(id="minatar/Breakout")).reset(seed=0).obs["state"].reshape(10, 10, 4)
    paddle, bricks = grid[:, :, 0], grid[:, :, 3]
    assert np.argwhere(paddle).tolist() == [[9, 4]]
    assert bricks.sum(axis=1).tolist() == [0, 10, 10, 10, 0, 0, 0, 0, 0, 0]


@needs_minatar
def test_breakout_is_lost_and_freeway_runs_out_of_time() -> None:
    lost = hold(make_env(EnvConfig(id="minatar/Breakout")), seed=0, action=1, steps=100)
    late = hold(make_env(EnvConfig(id="minatar/Freeway")), seed=0, action=1, steps=3000)
    assert lost[-1][2:] == (True, False)
    assert late[-1][2:] == (False, True)
    assert len(late) - 1 == 2501
    assert sum(step.reward for step in late) > 5  # going up and up, a chicken crosses now and then


@needs_minatar
def test_making_a_game_says_nothing() -> None:
    code = (
        "from dreamer_core.config.tree import EnvConfig; from dreamer_core.envs.registry import make_env; "
        "make_env(EnvConfig(id='minatar/Breakout')).reset(seed=0)"
    )
    # Shown, and not turned into errors: the package catches whatever goes wrong while it imports what it draws with.
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
