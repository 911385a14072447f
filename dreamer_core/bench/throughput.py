"""Steps and updates per second of one configuration, and where an update's time goes. Warm-up is not counted."""

import resource
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import torch

from dreamer_core.bench.stopwatch import Stopwatch, percentile
from dreamer_core.bench.testbed import describe_testbed
from dreamer_core.config import Config, family, fingerprint
from dreamer_core.training.engine import apply_update, collect
from dreamer_core.training.estimate import resolve_device
from dreamer_core.training.record import Interval
from dreamer_core.training.run import make_engine
from dreamer_core.training.torch_setup import set_up_torch
from dreamer_core.training.trainer import Trainer, build_trainer

LAPS = 10  # enough to tell a slowdown from noise: of five, all slower is rarer than one in thirty
PHASES = ("collect", "sample", "forward", "backward", "optimizer")


class Lap(NamedTuple):
    interval: Interval
    wall_s: float


def measure(
    config: Config, *, updates: int, warmup: int, laps: int = LAPS, on_update: Callable[[int], None]
) -> dict[str, Any]:
    """Two passes over one trainer: each phase by itself, then the engine as it really runs, in so many laps."""
    device = resolve_device(config)
    set_up_torch(config)
    trainer = build_trainer(config, device)
    with closing(trainer.collector.env):
        fill(trainer)
        phases = _time_phases(trainer, updates, warmup, on_update)
        timed = _time_engine(trainer, cut(updates, laps), warmup, lambda done: on_update(updates + done))
    whole = _joined(timed)
    return {
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "preset": config.preset,
        "fingerprint": fingerprint(config),
        "family": family(config),
        "testbed": describe_testbed(device),
        "updates": updates,
        "warmup": warmup,
        "num_envs": config.env.num_envs,
        "batch": [config.sequence_length, config.batch_size],
        **_rates(whole),
        "replay_ratio": whole.interval.updates / max(whole.interval.env_steps, 1),
        "replay_ratio_target": config.algo.replay_ratio,
        "phases_ms": phases,
        "replay_size": len(trainer.replay),
        "peak_memory_mib": peak_memory_mib(device),
        "laps": [_where(timed[: number + 1]) | _rates(lap) for number, lap in enumerate(timed)],
    }


def cut(updates: int, laps: int) -> list[int]:
    """Into laps that are as long as each other, or by one update longer. None is empty."""
    ends = [updates * number // min(laps, updates) for number in range(min(laps, updates) + 1)]
    return [end - start for start, end in pairwise(ends)]


def _rates(lap: Lap) -> dict[str, float]:
    interval, total_s = lap.interval, max(lap.interval.total_s, 1e-9)
    return {
        "sps": interval.env_steps / lap.wall_s,
        "train_sps": interval.updates / max(interval.learner_s, 1e-9),
        "updates_per_s": interval.updates / lap.wall_s,
        "collect_share": interval.actor_s / total_s,
        "overlap_eff": (interval.actor_s + interval.learner_s) / total_s,
    }


def _where(laps: Sequence[Lap]) -> dict[str, float]:
    """How far it was at the end of the last of them: laps of two benchmarks are pairs where this is equal."""
    whole = _joined(laps)
    return {
        "env_steps": whole.interval.env_steps,
        "train_steps": whole.interval.updates,
        "wall_time_s": whole.wall_s,
    }


def _joined(laps: Sequence[Lap]) -> Lap:
    names = ("env_steps", "updates", "actor_s", "learner_s", "total_s")
    sums: dict[str, Any] = {name: sum(getattr(lap.interval, name) for lap in laps) for name in names}
    return Lap(Interval(**sums), sum(lap.wall_s for lap in laps))


def fill(trainer: Trainer) -> None:
    """Collect until learning may start."""
    while trainer.progress.env_steps < trainer.config.algo.learning_starts or not trainer.replay.ready:
        collect(trainer)


def peak_memory_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _time_phases(
    trainer: Trainer, updates: int, warmup: int, on_update: Callable[[int], None]
) -> dict[str, dict[str, float]]:
    watch = Stopwatch(trainer.device)
    for done in range(warmup + updates):
        if done == warmup:
            watch.laps.clear()
        watch.restart()
        collect(trainer)
        watch.lap("collect")
        batch = trainer.replay.sample(trainer.sample_generator)
        watch.lap("sample")
        _time_update(trainer, batch, watch)
        on_update(max(0, done + 1 - warmup))
    return {
        name: {"p50": percentile(watch.laps[name], 0.5), "p95": percentile(watch.laps[name], 0.95)}
        for name in PHASES
        if name in watch.laps
    }


def _time_update(trainer: Trainer, batch: Any, watch: Stopwatch) -> None:
    before = {name: len(watch.laps[name]) for name in PHASES}
    trainer.learner.lap = watch.lap
    try:
        apply_update(trainer, batch)
    finally:
        trainer.learner.lap = lambda _: None
    for name in ("forward", "backward", "optimizer"):
        count = len(watch.laps[name]) - before[name]
        if count > 1:
            watch.join(name, count)


def _time_engine(trainer: Trainer, laps: Sequence[int], warmup: int, on_update: Callable[[int], None]) -> list[Lap]:
    """As many laps as numbers of updates, one right after the other. Each ends when the device is done with it."""
    engine, watch = make_engine(trainer), Stopwatch(trainer.device)
    target = trainer.learner.count + warmup
    while trainer.learner.count < target:
        engine.tick()
    first = target = trainer.learner.count
    timed = []
    watch.restart()
    for updates in laps:
        interval, target = Interval(), target + updates
        while trainer.learner.count < target:
            interval.add(engine.tick(), is_learning=True)
            on_update(trainer.learner.count - first)
        watch.lap("engine")
        timed.append(Lap(interval, watch.laps["engine"][-1] / 1000))
    return [lap for lap in timed if lap.interval.updates]
