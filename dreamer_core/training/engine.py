"""The reference engine: act, learn as often as the replay ratio asks, see where the actions led. Deterministic."""

import time
from typing import NamedTuple, Protocol

import torch

from dreamer_core.errors import NonFiniteError
from dreamer_core.training.failure import first_non_finite
from dreamer_core.training.learner import Update
from dreamer_core.training.trainer import Trainer
from dreamer_core.types import Batch


class Ticked(NamedTuple):
    """What one tick did, and how long it took."""

    env_steps: int
    updates: int
    actor_s: float
    learner_s: float
    total_s: float


class Engine(Protocol):
    trainer: Trainer

    def tick(self) -> Ticked: ...

    def settle(self) -> None:
        """Before the host reads weights, replay or metrics: wait for them, and refuse what is not finite."""
        ...


class BadBatchError(NonFiniteError):
    """Carries the batch of the update that went wrong, for the failure bundle."""

    def __init__(self, name: str, *, step: int, batch: Batch) -> None:
        super().__init__(name, step=step)
        self.batch = batch


class CpuEngine:
    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def tick(self) -> Ticked:
        started, cpu_started = time.perf_counter(), time.process_time()
        env_steps = act(self.trainer)
        acted = time.perf_counter()
        updates = updates_due(self.trainer, env_steps)
        for _ in range(updates):
            learn(self.trainer)
        learned = time.perf_counter()
        see(self.trainer)
        ended = time.perf_counter()
        self.trainer.progress.seconds += ended - started
        self.trainer.progress.cpu_seconds += time.process_time() - cpu_started
        return Ticked(env_steps, updates, acted - started + ended - learned, learned - acted, ended - started)

    def settle(self) -> None:
        """Nothing is ever under way between ticks, and every update was checked."""


def act(trainer: Trainer) -> int:
    """One row of every environment into replay, and the environments on their way. Counts the steps of all ranks."""
    progress = trainer.progress
    explore = progress.env_steps < trainer.config.algo.learning_starts
    steps = trainer.collective.sum(trainer.collector.act(trainer.replay, explore=explore))
    progress.env_steps += steps
    return steps


def see(trainer: Trainer) -> None:
    """Wait for the environments: their next rows, and the episodes that ended."""
    trainer.episodes.extend(trainer.collector.see())


def collect(trainer: Trainer) -> int:
    """Act and wait for where it leads, with nothing learned in between."""
    steps = act(trainer)
    see(trainer)
    return steps


def updates_due(trainer: Trainer, new_steps: int) -> int:
    """How many updates the replay ratio asks for now. Counting starts with the tick in which learning can."""
    progress, algo = trainer.progress, trainer.config.algo
    if progress.learning_since is None:
        if progress.env_steps < algo.learning_starts or not trainer.replay.ready:
            return 0
        progress.learning_since = progress.env_steps - new_steps
    scale = trainer.controller.replay_ratio_scale(trainer.learner.count)
    return trainer.ratio((progress.env_steps - progress.learning_since) / trainer.collective.size, scale)


def learn(trainer: Trainer) -> Update:
    """One update on a fresh sample, checked to be finite."""
    batch = trainer.replay.sample(trainer.sample_generator)
    update = apply_update(trainer, batch)
    check_finite(trainer, batch, update)
    trainer.window.add(update.metrics)
    return update


def apply_update(trainer: Trainer, batch: Batch) -> Update:
    plan = trainer.controller.plan(trainer.learner.count)
    update = trainer.learner.update(batch, trainer.learn_sampler, plan)
    trainer.follow()
    trainer.progress.actor_updates += plan.actor_critic
    if trainer.controller.needs_losses:
        trainer.controller.observe(shared_losses(trainer, update))
    context = trainer.config.algo.replay_context
    if context:
        trainer.replay.write_latents(batch.time[context:], batch.env, update.beliefs)
    return update


def shared_losses(trainer: Trainer, update: Update) -> dict[str, float]:
    """The metrics of an update, averaged over ranks: all must react to the same numbers, or their plans part."""
    values = torch.stack([value.float() for value in update.metrics.values()])
    means = trainer.collective.gather(values[None]).reshape(-1, len(values)).mean(0)
    return dict(zip(update.metrics, means.tolist(), strict=True))


def check_finite(trainer: Trainer, batch: Batch, update: Update) -> None:
    """Name the first tensor that is not finite: of the data, then of the losses, then of the weights."""
    if bool(torch.isfinite(torch.stack([value.float() for value in update.metrics.values()])).all()):
        return
    weights = ((f"weights/{name}", p) for name, p in trainer.agent.named_parameters())
    data = [("batch/reward", batch.reward), *((f"batch/{key}", value) for key, value in batch.obs.items())]
    name = first_non_finite([*data, *update.metrics.items(), *weights])
    raise BadBatchError(name or "metrics", step=trainer.learner.count, batch=batch)
