"""Killed at any moment of a save, the checkpoints from before are whole and the next save works."""

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dreamer_core.training.checkpoint import load, mark_best, save
from tests.unit.checkpoints import a_snapshot, names, save_steps

FILE_SYSTEM = ("open", "os.", "shutil.")  # audit events of what touches a file, but for:
KILL = "os.kill"


def die_at(countdown: int, action: Callable[[], object]) -> bool:
    """Run `action` in a child process that is killed when it touches the file system for the n-th time."""
    child = os.fork()
    if child == 0:
        left = countdown

        def count(event: str, _: tuple[Any, ...]) -> None:
            nonlocal left
            if event.startswith(FILE_SYSTEM) and event != KILL:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def check_whole(folder: Path, allowed: set[int]) -> None:
    last, best = load(folder / "last"), load(folder / "best")
    assert last.env_steps in allowed
    for snapshot in (last, best):
        assert snapshot.tensors["agent"]["actor.weight"].unique().tolist() == [snapshot.env_steps]
    for name in names(folder):
        if name.startswith("step_"):  # whatever bears the name of a checkpoint is one
            load(folder / name)
    assert "replay" in last.tensors, "without its replay, the last checkpoint cannot be resumed"


@pytest.mark.skipif(torch.get_num_threads() > 1, reason="a process with threads cannot be forked safely")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(("best", "new"), [(10, 30), (20, 20)])
def test_a_kill_at_any_moment_of_a_save_loses_nothing(tmp_path: Path, best: int, new: int) -> None:
    paths = dict(zip((10, 20), save_steps(tmp_path / "start", 10, 20), strict=True))
    mark_best(tmp_path / "start", paths[best], 1.0, best)
    kills = 0
    is_killed = True
    while is_killed:
        folder = tmp_path / str(kills)
        shutil.copytree(tmp_path / "start", folder)
        is_killed = die_at(kills, lambda folder=folder: save(folder, a_snapshot(new), keep=1))  # type: ignore[misc]
        check_whole(folder, {20, new})
        save(folder, a_snapshot(new), keep=1)  # as the resumed run will
        check_whole(folder, {new})
        assert len(names(folder)) == len({best, new}), names(folder)  # nothing half or gone is left
        kills += 1
    assert kills > 20


@pytest.mark.parametrize("room", [10, 150, 1000])  # less than the state, than a file of tensors, and than the seal
def test_a_save_that_the_disk_has_no_room_for_leaves_nothing_and_names_the_file(tmp_path: Path, room: int) -> None:
    save_steps(tmp_path, 10)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError, match=str(tmp_path / ".half-step_000000000020")):
            save(tmp_path, a_snapshot(20, notes="twelve words"), keep=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == ["step_000000000010"]
    assert load(tmp_path / "last").env_steps == 10
