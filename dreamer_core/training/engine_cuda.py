"""Acting and learning at the same time, on two CUDA streams, with the update's gradients as one captured graph.

Never run on a GPU yet (see docs/cuda.md): what it shares with the CPU engine is tested there, the rest is not.

A tick enqueues the updates that are due on the learning stream, which returns at once, and acts on the other stream
meanwhile, with a copy of the weights. The copy is made on the learning stream before the event that the actor waits for
is recorded: in the other order the actor could read half of an update.
"""

import copy
import time
from collections import Counter

import torch
from torch import Tensor

from dreamer_core.models.agent import Agent
from dreamer_core.rng import RandomSampler
from dreamer_core.training.engine import Ticked, act, check_finite, see, shared_losses, updates_due
from dreamer_core.training.learner import Learner, Plan, Update
from dreamer_core.training.learner_nature import NatureLearner
from dreamer_core.training.trainer import Trainer
from dreamer_core.types import Batch, State

# Updates of each plan that this process runs eagerly before capture: kernels are loaded and tuned in them.
_WARMUP_UPDATES = 3


class CudaEngine:
    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.learning, self.acting = torch.cuda.Stream(), torch.cuda.Stream()
        self.weights_ready, self.rows_ready = torch.cuda.Event(), torch.cuda.Event()
        self.player = ActingCopy(trainer.agent)
        trainer.collector.agent = self.player.agent
        self.graphs = GraphedGradients(trainer.learner, trainer.learn_sampler)
        self.weights_ready.record()
        self.latest: tuple[Batch, Update] | None = None  # not yet checked to be finite
        self.new_steps = 0  # of the tick before: the updates of a tick are due for those

    def tick(self) -> Ticked:
        started, cpu_started = time.perf_counter(), time.process_time()
        updates = updates_due(self.trainer, self.new_steps)
        with torch.cuda.stream(self.learning):
            self.learning.wait_event(self.rows_ready)
            for _ in range(updates):
                self._learn()
            if updates:
                self.player.refresh()
                self.weights_ready.record(self.learning)
        enqueued = time.perf_counter()
        with torch.cuda.stream(self.acting):
            # The actor plays with the weights of the tick before: it never waits for the updates just enqueued.
            env_steps = self.new_steps = act(self.trainer)
            self.acting.wait_event(self.weights_ready)
            self.player.adopt()
            self.rows_ready.record(self.acting)
        see(self.trainer)
        ended = time.perf_counter()
        self.trainer.progress.seconds += ended - started
        self.trainer.progress.cpu_seconds += time.process_time() - cpu_started
        return Ticked(env_steps, updates, ended - enqueued, enqueued - started, ended - started)

    def settle(self) -> None:
        """What is not finite stays in the weights, so the last update tells. Asking after each would wait for each."""
        self.synchronize()
        latest, self.latest = self.latest, None
        if latest is not None:
            check_finite(self.trainer, *latest)

    def synchronize(self) -> None:
        self.learning.synchronize()
        self.acting.synchronize()

    def _learn(self) -> None:
        trainer = self.trainer
        batch = trainer.replay.sample(trainer.sample_generator)
        plan = trainer.controller.plan(trainer.learner.count)
        update = self.graphs.update(batch, plan)
        trainer.follow()
        trainer.progress.actor_updates += plan.actor_critic
        context = trainer.config.algo.replay_context
        if context:
            trainer.replay.write_latents(batch.time[context:], batch.env, update.beliefs)
        trainer.window.add(update.metrics)
        if trainer.controller.needs_losses:
            trainer.controller.observe(shared_losses(trainer, update))
        self.latest = batch, update


class ActingCopy:
    """The weights that act: a staging copy that the learner writes, and the one the actor reads."""

    def __init__(self, agent: Agent) -> None:
        self.source = _acting_tensors(agent)
        self.agent = copy.deepcopy(agent).requires_grad_(False)
        self.target = _acting_tensors(self.agent)
        self.staging = [tensor.clone() for tensor in self.target]

    @torch.no_grad()
    def refresh(self) -> None:
        torch._foreach_copy_(self.staging, self.source)

    @torch.no_grad()
    def adopt(self) -> None:
        torch._foreach_copy_(self.target, self.staging)


class GraphedGradients:
    """Updates whose forward and backward pass replay a captured graph; the optimizer stays outside.

    One graph per plan, since a plan decides what is in it. Only the `nature` update of one rank is captured: the three
    interleaved steps of `sheeprl`, and messages between ranks, run eagerly.
    """

    def __init__(self, learner: Learner, sampler: RandomSampler) -> None:
        self.learner, self.sampler = learner, sampler
        self.captured: dict[tuple[bool, bool], _Captured] = {}
        self.eager: Counter[tuple[bool, bool]] = Counter()

    def update(self, batch: Batch, plan: Plan) -> Update:
        learner, key = self.learner, (plan.world_model, plan.actor_critic)
        can_capture = isinstance(learner, NatureLearner) and learner.collective.size == 1
        if not can_capture or self.eager[key] < _WARMUP_UPDATES:
            self.eager[key] += 1
            return learner.update(batch, self.sampler, plan)
        assert isinstance(learner, NatureLearner)
        if key not in self.captured:
            self.captured[key] = _Captured(learner, self.sampler, batch, plan)
        update = self.captured[key].replay(batch)
        learner.step(plan)
        learner.count += 1
        return update


class _Captured:
    def __init__(self, learner: NatureLearner, sampler: RandomSampler, batch: Batch, plan: Plan) -> None:
        self.batch = clone_batch(batch)
        self.graph = torch.cuda.CUDAGraph()
        self.graph.register_generator_state(sampler.generator)
        # From here on the gradients live in the graph's own memory: they are overwritten, never set to None.
        learner.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph):
            self.update = learner.backward(learner.prepare(self.batch), sampler, plan)
        self.gradients = [(p, p.grad) for part in learner.parts.values() for p in part.parameters()]

    def replay(self, batch: Batch) -> Update:
        copy_batch(self.batch, batch)
        self.graph.replay()
        for parameter, gradient in self.gradients:
            parameter.grad = gradient  # another plan's graph may have put its own there
        # The next replay overwrites what this one returns.
        metrics = {name: value.clone() for name, value in self.update.metrics.items()}
        belief = self.update.beliefs
        return Update(metrics, State(belief.deter.clone(), belief.stoch.clone()))


def clone_batch(batch: Batch) -> Batch:
    """The same batch in memory of its own."""
    context = None if batch.context is None else State(*(part.clone() for part in batch.context))
    return Batch(
        obs={key: value.clone() for key, value in batch.obs.items()},
        action=batch.action.clone(),
        reward=batch.reward.clone(),
        is_first=batch.is_first.clone(),
        terminated=batch.terminated.clone(),
        truncated=batch.truncated.clone(),
        context=context,
        time=batch.time.clone(),
        env=batch.env.clone(),
    )


def copy_batch(target: Batch, source: Batch) -> None:
    """Overwrite `target` in place: a captured graph reads from fixed memory."""
    pairs = [(target.obs[key], source.obs[key]) for key in target.obs]
    pairs += list(zip(target[1:6], source[1:6], strict=True))
    if target.context is not None and source.context is not None:
        pairs += list(zip(target.context, source.context, strict=True))
    for into, out_of in pairs:
        into.copy_(out_of, non_blocking=True)


def _acting_tensors(agent: Agent) -> list[Tensor]:
    parts = (agent.world_model.encoder, agent.world_model.rssm, agent.actor)
    return [parameter for part in parts for parameter in part.parameters()]
