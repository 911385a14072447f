"""Environments in processes of their own do exactly what they do in this one, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.base import Env
from dreamer_core.envs.counting import Counting
from dreamer_core.envs.processes import Processes
from dreamer_core.envs.registry import make_vector_env
from dreamer_core.envs.vector import VectorEnv
from dreamer_core.errors import EnvError
from dreamer_core.types import Step
from tests.unit.vector_play import random_actions, same_rows


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(EnvConfig(num_envs=3), id="cartpole"),
        pytest.param(EnvConfig(id="Pendulum-v1", num_envs=2, max_episode_steps=7), id="pendulum"),
        pytest.param(EnvConfig(id="dreamgate/CountingPixels-v0", num_envs=3, screen_size=8), id="pixels"),
    ],
)
def test_rows_episodes_and_restored_moments_are_the_same_in_both_kinds_of_stage(config: EnvConfig) -> None:
    here = make_vector_env(config, seed=5)
    with closing(make_vector_env(config, seed=5, processes=2)) as apart:
        assert same_rows(apart.reset(), here.reset())
        played = random_actions(here, 60)
        for action in played[:40]:
            assert same_rows(apart.step(action), here.step(action))
            assert apart.finished == here.finished
        snapshot = here.snapshot()
        expected = [here.step(action) for action in played[40:]]
        apart.step(played[0])
        apart.restore(snapshot)
        assert all(same_rows(apart.step(a), rows) for a, rows in zip(played[40:], expected, strict=True))


class Breaking(Counting):
    """Breaks when it is given action 2."""

    def step(self, action: NDArray[np.generic]) -> Step:
        if action[0] == 2:
            raise RuntimeError("the joystick came off")
        return super().step(action)


class Dying(Counting):
    def step(self, action: NDArray[np.generic]) -> Step:
        if action[0] == 2:
            os._exit(7)
        return super().step(action)


class Waiting(Counting):
    """Steps when a file is there."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def step(self, action: NDArray[np.generic]) -> Step:
        for _ in range(3000):
            if self.path.exists():
                return super().step(action)
            time.sleep(0.01)
        raise TimeoutError(f"{self.path} never came")


@contextmanager
def three_of(make: Callable[[], Env], *, processes: int = 2) -> Iterator[VectorEnv]:
    """Environment 0 lives in a process of its own, 1 and 2 share the other."""
    stage = Processes(make, Counting().spaces, num_envs=3, processes=processes)
    with closing(VectorEnv(stage, seed=0)) as vector:
        vector.reset()
        yield vector


def pids_of(vector: VectorEnv) -> list[int]:
    assert isinstance(vector.stage, Processes)
    return vector.stage.pids


def actions(*values: int) -> torch.Tensor:
    return torch.tensor(values)[:, None]


def test_an_environment_that_breaks_says_which_and_how() -> None:
    with three_of(Breaking) as vector:
        vector.step(actions(0, 0, 0))
        with pytest.raises(EnvError, match=r"environments 1 to 2 broke in their process:\n(.|\n)*joystick came off"):
            vector.step(actions(0, 0, 2))


def test_a_process_that_ends_by_itself_is_noticed() -> None:
    with three_of(Dying) as vector, pytest.raises(EnvError, match=r"environment 0: .* ended by itself with code 7"):
        vector.step(actions(2, 0, 0))


def test_what_cannot_be_made_says_so_before_the_first_step() -> None:
    with pytest.raises(EnvError, match=r"environment 0 broke in their process:\n(.|\n)*ZeroDivisionError"):
        Processes(partial(divmod, 1, 0), Counting().spaces, num_envs=3, processes=3)


def test_begin_does_not_wait_for_the_environments(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    with three_of(partial(Waiting, opened)) as vector:
        vector.begin(actions(1, 1, 1))
        opened.touch()  # waiting above would have been for ever
        assert vector.finish().obs["state"][:, 0].tolist() == [1, 1, 1]


def test_a_step_that_nobody_waited_for_does_not_answer_the_next_one() -> None:
    with three_of(Counting) as vector:
        vector.begin(actions(1, 1, 1))  # and whoever began it was interrupted
        vector.reset()
        assert [vector.step(actions(0, 0, 0)).obs["state"][0, 0].item() for _ in range(3)] == [1, 2, 3]


def test_closing_ends_the_processes_and_can_be_done_twice() -> None:
    with three_of(Counting) as vector:
        pids = pids_of(vector)
        assert len(pids) == 2
        assert all(psutil.pid_exists(pid) for pid in pids)
        vector.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


OWNER = """
from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.registry import make_vector_env

if __name__ == "__main__":
    vector = make_vector_env(EnvConfig(num_envs=2), seed=0, processes=2)
    vector.reset()
    print(*vector.stage.pids, flush=True)
    {then}
"""


def test_an_owner_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(then="input()"))
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        left = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
        owner.kill()
    assert len(left) == 2
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive


def test_a_script_that_forgets_to_close_ends_all_the_same(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(then="raise SystemExit(3)"))
    assert subprocess.run([sys.executable, script], capture_output=True, timeout=60, check=False).returncode == 3


def test_interrupts_are_left_to_the_owner() -> None:
    with three_of(Counting) as vector:
        for pid in pids_of(vector):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        assert vector.step(actions(1, 1, 1)).obs["state"][:, 0].tolist() == [1, 1, 1]
