"""Steps and updates per second of one configuration, and where an update's time goes. Warm-up is not counted."""

import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import torch

from dreamer_core.bench.stopwatch import Stopwatch, percentile
from dreamer_core.bench.testbed import describe_testbed
from dreamer_core.config import Config, family, fingerprint
from dreamer_core.training.engine import apply_update, collect
from dreamer_core.training.estimate import resolve_device
from dreamer_core.training.record import Interval
from dreamer_core.training.run import make_engine, set_up_torch
from dreamer_core.training.trainer import Trainer, build_trainer

PHASES = ("collect", "sample", "forward", "backward", "optimizer")


def measure(config: Config, *, updates: int, warmup: int, on_update: Callable[[int], None]) -> dict[str, Any]:
    """Two passes over one trainer: each phase by itself, then the engine as it really runs."""
    device = resolve_device(config)
    set_up_torch(config)
    trainer = build_trainer(config, device)
    fill(trainer)
    phases = _time_phases(trainer, updates, warmup, on_update)
    interval, wall_s = _time_engine(trainer, updates, warmup, lambda done: on_update(updates + done))
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
        "sps": interval.env_steps / wall_s,
        "train_sps": interval.updates / max(interval.learner_s, 1e-9),
        "updates_per_s": interval.updates / wall_s,
        "collect_share": interval.actor_s / max(interval.total_s, 1e-9),
        "overlap_eff": (interval.actor_s + interval.learner_s) / max(interval.total_s, 1e-9),
        "replay_ratio": interval.updates / max(interval.env_steps, 1),
        "replay_ratio_target": config.algo.replay_ratio,
        "phases_ms": phases,
        "replay_size": len(trainer.replay),
        "peak_memory_mib": peak_memory_mib(device),
    }


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


def _time_engine(
    trainer: Trainer, updates: int, warmup: int, on_update: Callable[[int], None]
) -> tuple[Interval, float]:
    engine, interval = make_engine(trainer), Interval()
    target = trainer.learner.count + warmup
    while trainer.learner.count < target:
        engine.tick()
    target, started = trainer.learner.count + updates, time.perf_counter()
    first = trainer.learner.count
    while trainer.learner.count < target:
        interval.add(engine.tick(), is_learning=True)
        on_update(trainer.learner.count - first)
    return interval, time.perf_counter() - started
