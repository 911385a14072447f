"""torchrun, but it ends as its ranks did: `ranks.py OPTIONS... COMMAND...`

torchrun itself says 1 whatever happened. Whether a rank was killed, was asked to stop or broke makes the difference
between a job that goes on and one that has failed. Run by its path, so that a commit's own code cannot take its place.
"""

import os
import resource
import signal
import sys
from collections.abc import Collection

_STOPPED = 75
_MERCY_S = 25  # torchrun gives the other ranks 30 s to follow the first one, and kills those that do not


def main(words: list[str]) -> int:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    try:
        torchrun(words)
    except ChildFailedError as error:
        found = error.failures.values()
        sys.stderr.write(f"ranks ended with {', '.join(str(each.exitcode) for each in found)}\n")
        return ending([(each.exitcode, each.timestamp) for each in found])
    except SignalException as error:
        return -error.sigval
    return 0


def ending(failures: Collection[tuple[int, int]]) -> int:
    """The exit code that stands for all, from those of the ranks and the second of each; -9: by signal 9.

    A rank that was killed is the cause: the others break of its silence. Those that torchrun killed later are not.
    """
    first = min(at for _, at in failures)
    codes = [code for code, at in failures if at < first + _MERCY_S]
    killed = [code for code in codes if code < 0 and code != -signal.SIGTERM]
    broken = [code for code in codes if code > 0 and code != _STOPPED]
    stopped = [code for code in codes if code == _STOPPED]
    return [*killed, *broken, *stopped, *codes][0]


def die_of(number: int) -> None:
    """As the system does it, without leaving an image of our memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    if code < 0:
        die_of(-code)
    sys.exit(code)
