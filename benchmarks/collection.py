"""What collection costs a training: replay samples at growing sizes, and ticks with environments here or elsewhere.

    python benchmarks/collection.py             on a machine that does nothing else
    python benchmarks/collection.py --rounds 8

Ticks are timed by the clock: overlap saves no work, only waiting. The contestants take turns round by round, in
changing order; a ratio is the median of those of the rounds.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import torch
from server_report import machine

from dreamer_core.bench.throughput import fill
from dreamer_core.config import load_config
from dreamer_core.config.tree import Config, ReplayConfig
from dreamer_core.replay.buffer import Replay
from dreamer_core.rng import make_generator
from dreamer_core.training.engine import CpuEngine
from dreamer_core.training.record import Interval
from dreamer_core.training.run import set_up_torch
from dreamer_core.training.trainer import build_trainer
from dreamer_core.types import ActionSpec, ObsSpec, Rows, Spaces

ENVS, LENGTH, BATCH = 4, 64, 16
PIXELS = Spaces(obs={"rgb": ObsSpec(kind="image", shape=(3, 64, 64))}, action=ActionSpec(kind="discrete", sizes=(2,)))
SIZES = (5_000, 20_000, 80_000)  # rows; the last is 1 GB
WORLDS = ("cartpole", "lunarlander")  # an update from pixels takes seconds, beside which a step is nothing
PROCESSES = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--ticks", type=int, default=40, help="with an update in each (default 40)")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    say(json.dumps(machine(Path(__file__).resolve().parent.parent)))
    say(f"\nA sample of {BATCH} sequences of {LENGTH} rows of 64×64×3 pixels:\n\n| rows in replay | ms |\n|---|---|")
    for size in SIZES:
        say(f"| {size:,} | {sample_ms(size):.2f} |")
    say("\nA tick of 4 environments with one update:\n")
    say("| preset | processes | ms | collecting and waiting | faster than in one process |\n|---|---|---|---|---|")
    for preset in WORLDS:
        for line in tick_lines(preset, rounds=asked.rounds, ticks=asked.ticks):
            say(line)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def sample_ms(size: int) -> float:
    replay = Replay(ReplayConfig(capacity=size, seq_len=LENGTH, batch_size=BATCH), PIXELS, num_envs=ENVS)
    for row in range(size // ENVS):
        replay.add(some_rows(is_first=row == 0), torch.zeros(ENVS, 1, dtype=torch.int32))
    generator, times = make_generator(0), []
    for _ in range(200):
        started = time.perf_counter()
        replay.sample(generator)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def some_rows(*, is_first: bool) -> Rows:
    never = torch.zeros(ENVS, dtype=torch.bool)
    picture = torch.randint(0, 256, (ENVS, 3, 64, 64), dtype=torch.uint8)
    return Rows({"rgb": picture}, torch.zeros(ENVS), never | is_first, never, never)


def tick_lines(preset: str, *, rounds: int, ticks: int) -> Iterator[str]:
    with ExitStack() as stack:
        engines = [started(stack, configured(preset, count)) for count in PROCESSES]
        found: list[list[Interval]] = [[] for _ in PROCESSES]
        for number in range(rounds):
            for place in turns(number):
                found[place].append(timed(engines[place], ticks))
    for place, count in enumerate(PROCESSES):
        ms = 1000 * statistics.median(lap.total_s / ticks for lap in found[place])
        waiting = statistics.median(lap.actor_s / lap.total_s for lap in found[place])
        ratios = [one.total_s / other.total_s for one, other in zip(found[0], found[place], strict=True)]
        spread = f"×{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        yield f"| {preset} | {count} | {ms:.1f} | {waiting:.1%} | {spread if count else ''} |"


def turns(number: int) -> Sequence[int]:
    """Another one begins in each round."""
    places = list(range(len(PROCESSES)))
    return places[number % len(places) :] + places[: number % len(places)]


def configured(preset: str, processes: int) -> Config:
    words = [f"run.env_processes={processes}", "env.num_envs=4", "device=cpu", "run.threads=1"]
    # A quarter of an update a step of 4 environments: one in each tick.
    return load_config([*words, "algo.replay_ratio=0.25", "algo.learning_starts=512"], preset=preset)


def started(stack: ExitStack, config: Config) -> CpuEngine:
    set_up_torch(config)
    trainer = build_trainer(config, torch.device("cpu"))
    stack.enter_context(closing(trainer.collector.env))
    fill(trainer)
    engine = CpuEngine(trainer)
    for _ in range(5):
        engine.tick()
    return engine


def timed(engine: CpuEngine, ticks: int) -> Interval:
    interval = Interval()
    for _ in range(ticks):
        interval.add(engine.tick(), is_learning=True)
    return interval


if __name__ == "__main__":
    main()
