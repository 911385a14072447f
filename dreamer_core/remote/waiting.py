"""Waiting until runs have ended, also through a restart of the server."""

import math
import time
from collections.abc import Callable, Iterable, Sequence

from dreamer_core.remote.client import Client
from dreamer_core.remote.errors import RemoteError, Unreachable
from dreamer_core.remote.shapes import Run

_LONGEST_OUTAGE_S = 120.0


def wait_for(
    client: Client,
    run_ids: Sequence[str],
    *,
    timeout_s: float | None = None,
    every_s: float = 1.0,
    on_look: Callable[[Run], None] | None = None,
) -> dict[str, Run]:
    """Each run as it was last seen: ended, unless the time was over first. A server that was there once may be away."""
    deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s

    def look(ids: Iterable[str]) -> dict[str, Run]:
        found = {run_id: client.get_run(run_id) for run_id in ids}
        for run in found.values():
            if on_look is not None:
                on_look(run)
        return found

    runs, heard_at = look(dict.fromkeys(run_ids)), time.monotonic()
    while open_ids := [run_id for run_id, run in runs.items() if not run.is_final]:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            break
        time.sleep(min(every_s, left_s))
        try:
            runs |= look(open_ids)
            heard_at = time.monotonic()
        except RemoteError as error:
            if not _may_pass(error) or time.monotonic() - heard_at > _LONGEST_OUTAGE_S:
                raise
    return runs


def _may_pass(error: RemoteError) -> bool:
    """A server that is away, or that broke."""
    return isinstance(error, Unreachable) or (error.status is not None and error.status >= 500)
