"""What a process does that holds one contestant: updates when it is told to, and counts what they are made of.

It reads words from its standard input, one a line, and answers each with a line of JSON: a number of updates to time,
or `count`. Needs the standard library alone, so that peers can use it in environments of their own.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """What a contestant competes with: one network and its update."""

    update: Callable[[], object]
    parameters: int
    count: Callable[[], dict[str, Any]]  # `gflop` and `operators` of one update, None where they cannot be counted
    facts: dict[str, str]  # versions


def threads() -> int:
    return int(os.environ["OMP_NUM_THREADS"])


def serve(make: Callable[[], Entry]) -> None:
    _keep_to(threads())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    entry = make()
    for line in sys.stdin:
        word = line.strip()
        answer = entry.count() if word == "count" else _time(entry.update, int(word))
        facts = {"parameters": entry.parameters, "peak_mib": _peak_mib(), **entry.facts}
        answers.write(json.dumps(facts | answer) + "\n")
        answers.flush()


def _keep_to(cores: int) -> None:
    """JAX does not ask how many threads it may have, but how many cores there are."""
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _time(update: Callable[[], object], times: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {"seconds": [], "cpu_seconds": []}
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        update()
        found["seconds"].append(time.perf_counter() - wall)
        found["cpu_seconds"].append(time.process_time() - cpu)
    return found


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
