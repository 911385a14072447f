"""Become another program that is asked to stop (SIGTERM) when its parent dies: `leash.py PARENT COMMAND...`

Run by its path, and with the standard library alone: it must work whatever PYTHONPATH says. A function that is called
between fork and exec would do the same, and can deadlock in a process with threads.
"""

import os
import signal
import sys

WHOEVER = "0"  # as PARENT: whoever it is

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    parent, command = argv[0], argv[1:]
    if sys.platform == "linux":
        _follow_parent()
    if parent != WHOEVER and os.getppid() != int(parent):  # it died before we could hold on to it
        os._exit(128 + signal.SIGTERM)
    os.execvp(command[0], command)  # noqa: S606 - that is what it is for


def _follow_parent() -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


if __name__ == "__main__":
    main(sys.argv[1:])
