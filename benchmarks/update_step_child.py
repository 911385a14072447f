"""What a process does that holds one contestant: updates when it is told to, and counts what they are made of.

It reads words from its standard input, one a line, and answers each with a line of JSON: a number of updates to time,
or `count`. Needs torch alone, so that peers can use it in environments of their own.
"""

import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode


class Operators(TorchDispatchMode):
    """Every operator that is dispatched, going forward, backward, and in the optimizer."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen[str(func)] += 1
        return func(*args, **(kwargs or {}))


def serve(make: Callable[[], tuple[Callable[[], object], Iterable[torch.Tensor]]]) -> None:
    """`make` gives the update and the weights that it trains."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    update, weights = make()
    parameters = sum(weight.numel() for weight in {id(weight): weight for weight in weights}.values())
    for line in sys.stdin:
        word = line.strip()
        answer = _count(update) if word == "count" else _time(update, int(word))
        facts = {"parameters": parameters, "torch": torch.__version__, "peak_mib": _peak_mib()}
        answers.write(json.dumps(facts | answer) + "\n")
        answers.flush()


def _time(update: Callable[[], object], times: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {"seconds": [], "cpu_seconds": []}
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        update()
        found["seconds"].append(time.perf_counter() - wall)
        found["cpu_seconds"].append(time.process_time() - cpu)
    return found


def _count(update: Callable[[], object]) -> dict[str, Any]:
    flops, operators = FlopCounterMode(display=False), Operators()
    with flops, operators:
        update()
    return {"gflop": flops.get_total_flops() / 1e9, "operators": operators.seen.total()}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
