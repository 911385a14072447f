"""What `up` starts is started again when it dies, stops when told, and does not outlive `up`, however that ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.cli import children
from server.cli.children import Child

STAYS = "import signal, sys, time; print('up', flush=True); time.sleep(60)"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "server.log"


@pytest.fixture
def make(log: Path) -> Iterator[Callable[[str], Child]]:
    made: list[Child] = []

    def start(program: str) -> Child:
        made.append(Child("server", [sys.executable, "-c", program], log=log, environ=dict(os.environ)))
        made[-1].start()
        return made[-1]

    yield start
    for child in made:
        child.kill()


def wait_for(is_so: Callable[[], object], patience_s: float = 10.0) -> None:
    until = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def test_its_words_go_to_the_log(make: Callable[[str], Child], log: Path) -> None:
    child = make("import sys; print('out'); print('err', file=sys.stderr)")
    wait_for(lambda: child.has_ended)
    assert sorted(log.read_text().split()) == ["err", "out"]


def test_it_is_asked_to_stop(make: Callable[[str], Child]) -> None:
    child = make(STAYS)
    child.stop()
    wait_for(lambda: child.has_ended)


def test_it_is_killed_where_asking_does_not_help(make: Callable[[str], Child], log: Path) -> None:
    child = make(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {STAYS}")
    wait_for(lambda: "up" in log.read_text())
    child.stop()
    time.sleep(0.1)
    assert not child.has_ended
    child.kill()
    assert child.has_ended


def test_it_does_not_hear_the_ctrl_c_of_the_terminal(make: Callable[[str], Child]) -> None:
    child = make(STAYS)
    assert child.pid is not None
    assert os.getsid(child.pid) == child.pid


def test_one_that_died_is_started_again_and_it_is_said(make: Callable[[str], Child]) -> None:
    said: list[str] = []
    child = make(STAYS)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: child.has_ended)
    until = time.monotonic() + 10
    while child.has_ended and time.monotonic() < until:
        child.look_after(said.append)
    assert child.pid != first
    assert len(said) == 1
    assert "the server ended (signal 9" in said[0]


def test_one_that_lives_is_left_alone(make: Callable[[str], Child]) -> None:
    child = make(STAYS)
    first = child.pid
    child.look_after(pytest.fail)
    assert child.pid == first


def test_the_more_often_it_dies_the_longer_is_the_wait(
    make: Callable[[str], Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    now = 1000.0
    monkeypatch.setattr("server.cli.children.time.monotonic", lambda: now)
    child = make("raise SystemExit(3)")
    for _ in range(8):
        os.waitid(os.P_PID, child.pid or 0, os.WEXITED | os.WNOWAIT)
        child.look_after(said.append)
        now += 31
        child.look_after(said.append)
        now -= 30.9
    waits = [float(words.rpartition(" in ")[2].removesuffix(" s")) for words in said]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_the_reason_of_a_death_can_be_read(make: Callable[[str], Child]) -> None:
    child = make("raise SystemExit('the port is taken')")
    wait_for(lambda: child.has_ended)
    obituary = child.obituary()
    assert obituary is not None
    assert "exit code 1" in obituary
    assert "the port is taken" in obituary


def test_a_long_log_is_put_aside_at_the_start(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_LOG_BYTES", 3)
    log.parent.mkdir()
    log.write_text("long")
    Child("server", ["true"], log=log)
    assert not log.exists()
    assert log.with_name("server.log.1").read_text() == "long"


PARENT = f"""
import sys, time
from pathlib import Path
from server.cli.children import Child
child = Child("server", [sys.executable, "-c", {STAYS!r}], log=Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_it_ends_when_its_parent_is_killed(log: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_for(lambda: log.read_text() == "up\n")
    parent.kill()
    parent.communicate()
    wait_for(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    """A zombie that nobody has waited for yet is gone, too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
