"""How long one gate takes over 20 seeds x 50 metrics x 10,000 points on each side. Prints one JSON object.

python benchmarks/gates_speed.py
"""

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from dreamer_core.gates import Blessing, Evidence, RunNumbers, SeedGroup, Series, capture, evaluate, gate_from_mapping

T = TypeVar("T")

SEEDS, KEYS, POINTS, REPEATS = 20, 50, 10_000, 5
NAMES = [f"Loss/{number}" for number in range(KEYS)]

CHECKS = [
    {"check": "threshold_median"},
    {"check": "finite"},
    {"check": "seeds_bootstrap", "keys": ["Loss/*"]},
    {"check": "seeds_bootstrap", "keys": ["Loss/*"], "measure": "auc"},
    {"check": "improves", "key": "Loss/0"},
    {"check": "hold", "key": "Loss/0", "level": 1.0, "keep": 2.0},
    {"check": "ceiling", "key": "Loss/1", "value": 1.0},
]


def main() -> None:
    directions = dict.fromkeys(NAMES, "lower")
    gate = gate_from_mapping({"name": "speed", "directions": directions, "checks": CHECKS})
    before, after = group(0), group(1)
    blessing = Blessing(created_at="2026-01-01T00:00:00+00:00", source="speed")
    captured, baseline = timed(lambda: capture(before, NAMES, blessing), 1)
    first, _ = timed(lambda: evaluate(gate, Evidence(candidate=after, baseline=baseline)), 1)
    later, result = timed(lambda: evaluate(gate, Evidence(candidate=after, baseline=baseline)), REPEATS)
    started = time.process_time()
    evaluate(gate, Evidence(candidate=after, baseline=baseline))
    cpu = time.process_time() - started  # what is left when others use the machine too
    report = {
        "seeds": SEEDS,
        "keys": KEYS,
        "points": POINTS,
        "results": len(result.results),
        "capture_s": captured,
        "evaluate_first_s": first,
        "evaluate_median_s": later,
        "evaluate_cpu_s": cpu,
    }
    sys.stdout.write(json.dumps(report) + "\n")


def group(number: int) -> SeedGroup:
    rng = np.random.default_rng(number)
    steps = np.arange(POINTS) * 100.0
    records = np.arange(POINTS)
    decay = np.exp(-np.arange(POINTS) / POINTS)
    return SeedGroup(
        runs=tuple(
            RunNumbers(
                name=f"run-{seed}",
                seed=seed,
                record_steps=steps,
                series={
                    name: Series(steps=steps, values=decay * rng.lognormal(0, 0.1, POINTS), records=records)
                    for name in NAMES
                },
            )
            for seed in range(SEEDS)
        )
    )


def timed(work: Callable[[], T], repeats: int) -> tuple[float, T]:
    """Middle of the times, and what came out."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - started)
    return sorted(times)[repeats // 2], found


if __name__ == "__main__":
    main()
