"""Environments in processes of their own, a group in each; orders and what came of them lie in memory they share.

Only one byte goes through a pipe for each group and step, so nothing is pickled. The memory has no name and the pipe
ends with its owner: whoever is killed leaves nothing behind, neither a file nor a process that waits.
"""

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.envs.base import Env
from dreamer_core.envs.stage import InProcess, Moment, Orders, board_dtype, obey, read, write
from dreamer_core.errors import EnvError
from dreamer_core.types import Spaces

# A fork would copy whatever torch's threads are doing.
_SPAWN = multiprocessing.get_context("spawn")
_GO = b"g"
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
        for group in self._groups:
            group.wait()  # until its environments are made

    @property
    def pids(self) -> list[int]:
        return [group.process.pid or 0 for group in self._groups]

    def begin(self, orders: Orders) -> None:
        write(self._board, orders)
        for group in self._groups:
            group.go()

    def finish(self) -> Moment:
        for group in self._groups:
            group.wait()
        return read(self._board, self.spaces)

    def close(self) -> None:
        for group in self._groups:
            group.close()


class _Group:
    """Our end of one process."""

    def __init__(self, make: Callable[[], Env], spaces: Spaces, memory: Any, places: range) -> None:
        self.places = places
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=_live, args=(make, spaces, memory, places, theirs), daemon=True)
        self.process.start()
        theirs.close()  # or its end would not be noticed here

    def go(self) -> None:
        with suppress(BrokenPipeError):  # `wait` says why
            self.pipe.send_bytes(_GO)

    def wait(self) -> None:
        try:
            answer = self.pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            self.process.join()
            raise EnvError(f"{self}: their process ended by itself with code {self.process.exitcode}") from None
        if answer != _DONE:
            raise EnvError(f"{self} broke in their process:\n{answer.decode()}")

    def close(self) -> None:
        self.pipe.close()
        self.process.join(_GOODBYE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()

    def __str__(self) -> str:
        first, last = self.places[0], self.places[-1]
        return f"environment {first}" if first == last else f"environments {first} to {last}"


def _live(make: Callable[[], Env], spaces: Spaces, memory: Any, places: range, pipe: Connection) -> None:
    """All that a process of environments does: obey whenever it is told to, until its owner is gone."""
    for name in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C reaches it too, but its owner still has to save
        signal.signal(name, signal.SIG_IGN)
    board = _board(memory, spaces)[places.start : places.stop]
    with suppress(EOFError, BrokenPipeError), pipe:
        try:
            with closing(InProcess([make() for _ in places])) as stage:
                pipe.send_bytes(_DONE)
                while pipe.recv_bytes():
                    obey(stage.envs, board)
                    pipe.send_bytes(_DONE)
        except EOFError:
            raise
        except Exception:
            pipe.send_bytes(traceback.format_exc().encode())


def _board(memory: Any, spaces: Spaces) -> NDArray[np.void]:
    return np.frombuffer(memory, dtype=board_dtype(spaces))
