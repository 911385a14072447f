"""One update: the same interface for both recipes, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from dreamer_core.config.tree import Config
from dreamer_core.models import actions
from dreamer_core.models.agent import Agent
from dreamer_core.models.world_model import Moment
from dreamer_core.rng import Sampler
from dreamer_core.training.collective import Collective, Solo
from dreamer_core.types import Batch, State

_LEAST_SPREAD = 0.05  # of advantages, so that what is all the same is not blown up to noise


@dataclass(frozen=True)
class Plan:
    """What one update trains, and how fast. Decided by the controllers, once per update."""

    world_model: bool = True
    actor_critic: bool = True
    lr_scale: float = 1.0
    ac_lr_scale: float = 1.0


class Update(NamedTuple):
    metrics: dict[str, Tensor]  # scalars, still on the device
    beliefs: State  # (T, B, ...): the states the batch went through, without gradients


class Learner(ABC):
    """Owns the optimizers. `count` is the number of updates done."""

    def __init__(self, agent: Agent, collective: Collective | None = None) -> None:
        self.agent = agent
        self.config: Config = agent.config
        self.collective = collective or Solo()
        self.count = 0
        # Told when a phase of an update is over; the bench listens.
        self.lap: Callable[[str], None] = lambda _: None

    @property
    @abstractmethod
    def optimizers(self) -> dict[str, Optimizer]: ...

    @abstractmethod
    def _update(self, moment: Moment, sampler: Sampler, plan: Plan) -> Update: ...

    def update(self, batch: Batch, sampler: Sampler, plan: Plan | None = None) -> Update:
        update = self._update(self.prepare(batch), sampler, plan or Plan())
        self.count += 1
        return update

    def prepare(self, batch: Batch) -> Moment:
        return prepare(batch, self.config, self.agent)

    def state(self) -> dict[str, Any]:
        return {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}

    def restore(self, state: dict[str, Any], count: int) -> None:
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])
        self.count = count

    def policy_weight(self, advantage: Tensor) -> Tensor:
        """What the log-probabilities of the dreamed actions (H, N) are weighed with.

        While the critic lags behind the returns all advantages are positive, and the policy would be pushed toward
        whatever it happened to do. Centred, only being better than the other dreams of the batch counts. In units of
        their own spread they keep their weight against the entropy, whose price is fixed, also when they get small.
        """
        kind = self.config.actor.advantage
        if kind == "plain":
            return advantage
        centred = advantage - advantage.mean(1, keepdim=True)
        return centred if kind == "centred" else centred / advantage.std().clamp(min=_LEAST_SPREAD)

    @contextmanager
    def autocast(self) -> Iterator[None]:
        device = next(self.agent.parameters()).device.type
        with torch.autocast(device, dtype=torch.bfloat16, enabled=self.config.precision.autocast):
            yield

    def metrics_of_returns(
        self, returns: Tensor, values: Tensor, advantage: Tensor, scale: Tensor
    ) -> dict[str, Tensor]:
        moments = self.agent.moments
        metrics = {
            "value_mean": values.mean(),
            "value_std": values.std(),
            "return_mean": returns.mean(),
            "adv_mean": advantage.mean(),
            "adv_std": advantage.std(),
            "ret_p05": moments.low,
            "ret_p95": moments.high,
            "ret_scale": scale,
        }
        return {name: value.detach().clone() for name, value in metrics.items()}


def prepare(batch: Batch, config: Config, agent: Agent) -> Moment:
    """Shift actions to the row they led to, and decide what the sequence starts from.

    With a stored belief the first row is only context: it gives the state and the action to start from. Without one the
    sequence starts from nothing, as if an episode began there.
    """
    action = actions.encode(batch.action, agent.spaces.action)
    if batch.context is not None and config.algo.replay_context:
        row = slice(1, None)
        previous, is_first, start = action[:-1], batch.is_first[1:], batch.context
    else:
        row = slice(None)
        previous = torch.cat([torch.zeros_like(action[:1]), action[:-1]])
        is_first, start = batch.is_first.clone(), None
        is_first[0] = True
    return Moment(
        obs={key: value[row] for key, value in batch.obs.items()},
        previous_action=previous,
        reward=batch.reward[row],
        is_first=is_first,
        terminated=batch.terminated[row],
        is_last=batch.is_last[row],
        start=start,
    )


def gradient_norm(parameters: Iterable[Tensor]) -> Tensor:
    parameters = list(parameters)
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return torch.zeros((), device=parameters[0].device)  # where the other metrics are
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norm


def scale_learning_rates(optimizer: Optimizer, base: float, scale: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = base * scale
