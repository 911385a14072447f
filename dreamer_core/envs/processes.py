"""Environments in processes of their own, a group in each; orders and what came of them lie in memory they share.

Only a signal to go and a word that it is done pass through a pipe, so nothing is pickled. The memory has no name and
the pipe ends with its owner: whoever is killed leaves nothing behind, neither a file nor a process that waits.
"""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray
from multiprocessing.util import Finalize
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.envs.base import Env
from dreamer_core.envs.stage import Moment, Orders, board_dtype, obey, read, write
from dreamer_core.errors import EnvError
from dreamer_core.types import Spaces

# A fork would copy whatever torch's threads are doing.
_SPAWN = multiprocessing.get_context("spawn")
_GO = b"go"
_DONE = b""
_GOODBYE_S = 5.0  # for an environment that is just being closed


class Processes:
    """`processes` groups of environments, as equal as can be, in the order in which `InProcess` has them."""

    def __init__(self, make: Callable[[], Env], spaces: Spaces, num_envs: int, processes: int) -> None:
        self.spaces = spaces
        self.num_envs = num_envs
        memory = RawArray("b", num_envs * board_dtype(spaces).itemsize)
        self._board = _board(memory, spaces)
        edges = np.linspace(0, num_envs, processes + 1).astype(int)
        self._groups = [_Group(make, spaces, memory, range(first, end)) for first, end in pairwise(edges)]
        try:
            self._wait()  # until the environments are made
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        return [group.process.pid or 0 for group in self._groups]

    def begin(self, orders: Orders) -> None:
        self._wait()  # for orders that somebody was interrupted over
        write(self._board, orders)
        for group in self._groups:
            group.go()

    def finish(self) -> Moment:
        self._wait()
        return read(self._board, self.spaces)

    def close(self) -> None:
        for group in self._groups:
            group.pipe.close()
        for group in self._groups:
            group.end()

    def _wait(self) -> None:
        for group in self._groups:
            group.wait()


class _Group:
    """Our end of one process."""

    def __init__(self, make: Callable[[], Env], spaces: Spaces, memory: Any, places: range) -> None:
        self.places = places
        self.owes_answer = True  # that its environments are made
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_live, args=(make, spaces, memory, places, theirs), daemon=True)
        self.process.start()
        theirs.close()  # or its end would not be noticed here
        # When the interpreter ends, it waits for its children: before that, this one has to hear that nobody is left.
        Finalize(self, self.pipe.close, exitpriority=0)

    def go(self) -> None:
        self.owes_answer = True
        with suppress(BrokenPipeError):  # `wait` says why
            self.pipe.send_bytes(_GO)

    def wait(self) -> None:
        """Interrupted, it is still owed the answer: the next one who waits gets that and not one of his own."""
        if not self.owes_answer:
            return
        try:
            answer = self.pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            raise EnvError(f"{self}: their process ended by itself with code {self.end()}") from None
        if answer != _DONE:
            raise EnvError(f"{self} broke in their process:\n{answer.decode()}")
        self.owes_answer = False

    def end(self) -> int | None:
        """Its exit code. An environment that does not let go of its process is not waited for."""
        self.process.join(_GOODBYE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode

    def __str__(self) -> str:
        first, last = self.places[0], self.places[-1]
        return f"environment {first}" if first == last else f"environments {first} to {last}"


def _live(make: Callable[[], Env], spaces: Spaces, memory: Any, places: range, pipe: Connection) -> None:
    """All that a process of environments does."""
    for name in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C reaches it too, but its owner still has to save
        signal.signal(name, signal.SIG_IGN)
    envs: list[Env] = []
    try:
        envs += [make() for _ in places]
        _obey_until_alone(envs, _board(memory, spaces)[places.start : places.stop], pipe)
    except Exception:
        with suppress(OSError):  # nobody is left to hear it
            pipe.send_bytes(traceback.format_exc().encode())
    for env in envs:
        env.close()


def _obey_until_alone(envs: Sequence[Env], board: NDArray[np.void], pipe: Connection) -> None:
    pipe.send_bytes(_DONE)
    while _is_told(pipe):
        obey(envs, board)
        pipe.send_bytes(_DONE)


def _is_told(pipe: Connection) -> bool:
    try:
        pipe.recv_bytes()
    except (EOFError, ConnectionResetError):
        return False
    return True


def _board(memory: Any, spaces: Spaces) -> NDArray[np.void]:
    return np.frombuffer(memory, dtype=board_dtype(spaces))
