"""What a launcher of ranks ends with: the cause, not its echo in the other ranks."""

import signal
import subprocess
import sys

import pytest

from worker import ranks
from worker.ranks import ending

THEN = 1_700_000_000


def at_once(*codes: int) -> int:
    return ending([(code, THEN) for code in codes])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_rank_that_was_killed_is_the_cause_and_that_the_others_broke_its_echo(number: int) -> None:
    assert at_once(4, -number) == -number
    assert at_once(-number, -signal.SIGTERM) == -number


def test_a_rank_that_broke_is_told_with_its_own_code_although_torchrun_ended_the_others() -> None:
    assert at_once(2, -signal.SIGTERM) == 2
    assert ending([(4, THEN), (-signal.SIGKILL, THEN + 30)]) == 4  # it was deaf, and torchrun killed it


def test_ranks_that_saved_their_state_when_asked_have_stopped() -> None:
    assert at_once(75, 75) == 75
    assert at_once(75, -signal.SIGTERM) == 75


def test_ranks_that_were_asked_before_they_could_listen_have_died_of_it() -> None:
    assert at_once(-signal.SIGTERM, -signal.SIGTERM) == -signal.SIGTERM


@pytest.mark.parametrize(("words", "code"), [("sys.exit(2)", 2), ("os.kill(os.getpid(), 9)", -9), ("pass", 0)])
def test_the_real_torchrun_ends_as_its_ranks_did(words: str, code: int) -> None:
    program = f"import os, sys\nif os.environ['RANK'] == '1': {words}"
    torchrun = [sys.executable, "-P", ranks.__file__, "--standalone", "--nproc-per-node", "2", "--no-python"]
    done = subprocess.run([*torchrun, sys.executable, "-c", program], capture_output=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr.decode()
