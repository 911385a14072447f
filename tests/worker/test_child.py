"""Processes of ours: on a leash, asked to stop, killed whole."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from worker import leash
from worker.child import Child

SLEEP = "import time; time.sleep(60)"
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
print("ready", flush=True)
time.sleep(60)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", sys.argv[1], sys.argv[2], sys.executable, "-c", sys.argv[3]])
print(child.pid, flush=True)
time.sleep(60)
"""
FAMILY = """
import os, subprocess, sys, time
apart = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
near = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(apart.pid, near.pid, flush=True)
if sys.argv[1] == "stay":
    time.sleep(60)
"""

Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    children: list[Child] = []

    def begin(code: str, *words: str) -> Child:
        command = [sys.executable, "-c", code, *words]
        out, err = tmp_path / "out", tmp_path / "err"
        children.append(Child(command, folder=tmp_path, environment=os.environ, stdout=out, stderr=err))
        return children[-1]

    yield begin
    for child in children:
        child.kill()
        wait_for(lambda child=child: child.poll() is not None)  # type: ignore[misc]


def wait_for(is_time: Callable[[], object], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def said(tmp_path: Path) -> list[int]:
    wait_for(lambda: (tmp_path / "out").read_text().endswith("\n"))
    return [int(word) for word in (tmp_path / "out").read_text().split()]


def test_its_exit_code_is_told_once_it_has_ended(start: Start) -> None:
    child = start("import sys; sys.exit(3)")
    wait_for(lambda: child.poll() is not None)
    assert child.poll() == 3


def test_asked_to_stop_it_may_end_in_its_own_way(start: Start, tmp_path: Path) -> None:
    child = start(POLITE)
    wait_for(lambda: (tmp_path / "out").read_text() == "ready\n")
    child.stop()
    wait_for(lambda: child.poll() is not None)
    assert child.poll() == 75


def test_killed_it_takes_all_its_descendants_along(start: Start, tmp_path: Path) -> None:
    child = start(FAMILY, "stay")
    pids = said(tmp_path)
    child.kill()
    wait_for(lambda: child.poll() is not None)
    assert child.poll() == -9
    wait_for(lambda: not any(map(is_alive, pids)))


def test_nothing_of_its_group_outlives_it(start: Start, tmp_path: Path) -> None:
    child = start(FAMILY, "leave")
    apart, near = said(tmp_path)
    wait_for(lambda: child.poll() == 0)
    wait_for(lambda: not is_alive(near))
    os.kill(apart, signal.SIGKILL)  # it made itself independent, and was not killed


def test_a_signal_for_the_terminal_does_not_reach_it(start: Start) -> None:
    assert os.getpgid(start(SLEEP).pid) != os.getpgid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
@pytest.mark.parametrize("whom", ["itself", leash.WHOEVER])
def test_when_its_parent_is_killed_it_is_asked_to_stop(whom: str) -> None:
    code = PARENT.replace("sys.argv[2]", "str(__import__('os').getpid())") if whom == "itself" else PARENT
    command = [sys.executable, "-c", code, str(leash.__file__), whom, POLITE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
    wait_for(lambda: not is_alive(pid))


def test_a_parent_that_died_first_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "written"
    command = [sys.executable, "-I", "-S", str(leash.__file__), "999999999", "touch", str(file)]
    assert subprocess.run(command, check=False).returncode == 128 + signal.SIGTERM
    assert not file.exists()
