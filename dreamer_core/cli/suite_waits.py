"""Waiting for a suite run in a terminal: who would do its jobs, and how to come back to it or to stop it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dreamer_core.errors import DreamgateError
from dreamer_core.program import command

if TYPE_CHECKING:
    from dreamer_core.remote import Client
    from dreamer_core.remote.suite_shapes import SuiteRunDetail


class StoppedWaiting(DreamgateError):
    """Ctrl-C while a server works: nothing is lost there."""

    exit_code = 128 + 2


@contextmanager
def way_back(server: str, suite_run_id: str) -> Iterator[None]:
    """Whoever stops waiting, or has to, is told that the suite goes on."""
    from dreamer_core.remote.errors import Unreachable

    back = f"`{command(f'suite show {suite_run_id} --wait', server)}` comes back to it"
    try:
        yield
    except KeyboardInterrupt:
        stop = f"`{command(f'suite cancel {suite_run_id}', server)}` stops it"
        raise StoppedWaiting(f"no longer waiting; the suite goes on. {back}, {stop}") from None
    except Unreachable as error:
        error.add_note(f"the suite may go on: {back}")
        raise


def warn_if_nobody_comes(client: "Client", run: "SuiteRunDetail", instead: str = "") -> None:
    """Jobs of a commit wait for a worker that can check it out: better said at once than waited for."""
    online = [worker for worker in client.workers() if worker.state == "online"]
    if run.jobs.total and not online:
        print("dreamgate: no worker is online: the jobs wait for one", file=sys.stderr)
    elif run.jobs.total and run.commit and not any(worker.runs_commits for worker in online):
        wanted = f"no worker can check out {run.commit[:12]}: the jobs wait for one with DREAMGATE_SOURCE_REPO"
        print(f"dreamgate: {wanted}{instead}", file=sys.stderr)
    else:
        for why in dict.fromkeys(scenario.stuck for scenario in run.scenarios if scenario.stuck):
            names = ", ".join(scenario.name for scenario in run.scenarios if scenario.stuck == why)
            print(f"dreamgate: {names}: {why} The jobs wait for one.", file=sys.stderr)
