"""Laps in milliseconds, and what they amount to."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import torch


class Stopwatch:
    """`lap(name)` books the time since the last lap under `name`. On CUDA it waits for the device first."""

    def __init__(self, device: torch.device) -> None:
        self.wait: Callable[[], None] = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self.laps: defaultdict[str, list[float]] = defaultdict(list)
        self.since = time.perf_counter()

    def restart(self) -> None:
        self.wait()
        self.since = time.perf_counter()

    def lap(self, name: str) -> None:
        self.wait()
        now = time.perf_counter()
        self.laps[name].append(1000 * (now - self.since))
        self.since = now

    def join(self, name: str, count: int) -> None:
        """Make one lap of the last `count` laps of a name (three optimizers are one optimizer step)."""
        laps = self.laps[name]
        laps[-count:] = [sum(laps[-count:])]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]
