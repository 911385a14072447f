"""Waiting until a suite run is over, also through a restart of the server."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

from dreamer_core.remote.client import Client
from dreamer_core.remote.errors import Unreachable
from dreamer_core.remote.suite_shapes import SuiteRunDetail

T = TypeVar("T")

LONGEST_OUTAGE_S = 120.0
EVERY_S = 2.0


def wait_for_suite(
    client: Client,
    suite_run_id: str,
    *,
    timeout_s: float | None = None,
    on_look: Callable[[SuiteRunDetail], None] | None = None,
) -> SuiteRunDetail:
    """As it was last seen: over, unless the time was over first."""
    deadline = math.inf if timeout_s is None else time.monotonic() + timeout_s
    while True:
        run = through_outages(lambda: client.get_suite_run(suite_run_id))
        if on_look is not None:
            on_look(run)
        left_s = deadline - time.monotonic()
        if run.is_final or left_s <= 0:
            return run
        time.sleep(min(EVERY_S, left_s))


def through_outages(ask: Callable[[], T]) -> T:
    """A server that was there once may be away for a while."""
    since = time.monotonic()
    while True:
        try:
            return ask()
        except Unreachable:
            if time.monotonic() - since > LONGEST_OUTAGE_S:
                raise
        time.sleep(EVERY_S)
