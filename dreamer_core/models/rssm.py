"""The recurrent state-space model: what is carried from moment to moment, whichever cell carries it.

What does not depend on the recurrence (projections of actions and observations, priors) is computed for the whole
sequence at once; only the cell and the posterior run step by step.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dreamer_core.config.model import LatentHeadConfig, WorldModelConfig
from dreamer_core.models.distributions import log_probs, probs, sample_one_hot
from dreamer_core.models.gather import OneHots, ones_at
from dreamer_core.models.layers import Linear, Style, head, mlp
from dreamer_core.rng import Sampler
from dreamer_core.types import ActionSpec, State

# The deterministic state and where the stochastic one has its ones, the action, the sampler: both one step later.
Predict = Callable[[Tensor, OneHots, Tensor, Sampler], tuple[Tensor, OneHots]]


class Observed(NamedTuple):
    """A filtered sequence."""

    states: State  # (T, B, ...)
    posterior: Tensor  # log-probabilities (T, B, S, C)
    prior: Tensor  # log-probabilities (T, B, S, C)


class RSSM(nn.Module, ABC):
    def __init__(self, config: WorldModelConfig, unimix: float) -> None:
        super().__init__()
        self.stochastic = config.stochastic_size
        self.classes = config.discrete_size
        self.deterministic = config.recurrent_model.recurrent_state_size
        self.unimix = unimix

    @abstractmethod
    def initial(self, batch: int) -> State:
        """The state before the first moment of an episode."""

    @abstractmethod
    def embed_actions(self, action: Tensor) -> Tensor:
        """The part of the cell's input that depends on actions (..., A) only."""

    @abstractmethod
    def advance(self, state: State, action_embedding: Tensor) -> Tensor:
        """One step of the cell: the next deterministic state (B, D)."""

    @abstractmethod
    def embed_observations(self, embedding: Tensor) -> Tensor:
        """The part of the posterior that depends on embeddings (..., E) only."""

    @abstractmethod
    def posterior_logits(self, deter: Tensor, embedded: Tensor) -> Tensor:
        """(..., S * C), from the deterministic state and what `embed_observations` gave."""

    @abstractmethod
    def prior_logits(self, deter: Tensor) -> Tensor:
        """(..., S * C)."""

    def observe(
        self, embedding: Tensor, previous_action: Tensor, is_first: Tensor, start: State | None, sampler: Sampler
    ) -> Observed:
        """Filter a sequence. `previous_action[t]` led to `embedding[t]`; at a first row both it and the state reset.

        embedding (T, B, E), previous_action (T, B, A), is_first (T, B) bool, start (B, ...) or None for an empty past.
        """
        keep = (~is_first).to(embedding.dtype)[..., None]  # (T, B, 1)
        actions = self.embed_actions(previous_action * keep)
        embedded = self.embed_observations(embedding)
        fresh = self.initial(is_first.shape[1])
        states, posterior = self._scan(fresh if start is None else start, fresh, keep, actions, embedded, sampler)
        return Observed(states, posterior, self.prior(states.deter))

    def filter(self, state: State, embedding: Tensor, action: Tensor, is_first: Tensor, sampler: Sampler) -> State:
        """One moment of acting: state (B, ...), embedding (B, E), the previous action (B, A), is_first (B,)."""
        keep = (~is_first).to(embedding.dtype)[..., None]
        actions = self.embed_actions(action * keep)
        fresh = self.initial(is_first.shape[0])
        return self._observe_step(state, fresh, keep, actions, self.embed_observations(embedding), sampler)[0]

    def imagine_step(self, state: State, action: Tensor, sampler: Sampler) -> State:
        """Predict one step ahead without looking: state (B, ...), action (B, A)."""
        deter = self._advance(state, self.embed_actions(action))
        return State(deter, sample_one_hot(self.prior(deter), sampler))

    def predictor(self, action: ActionSpec) -> Predict:
        """`imagine_step` without a gradient, for many steps with the same weights: what they share is computed once."""

        def predict(deter: Tensor, ones: OneHots, taken: Tensor, sampler: Sampler) -> tuple[Tensor, OneHots]:
            stoch = torch.zeros(len(deter), ones.width).scatter_(1, ones.at, 1.0)
            stoch = stoch.unflatten(-1, (self.stochastic, self.classes))
            after = self._advance(State(deter, stoch), self.embed_actions(taken))
            return after, self._draw(self.prior_logits(after), sampler)

        return predict

    def prior(self, deter: Tensor) -> Tensor:
        """Log-probabilities (..., S, C)."""
        return self._log_probs(self.prior_logits(deter))

    def _scan(
        self, state: State, fresh: State, keep: Tensor, actions: Tensor, embedded: Tensor, sampler: Sampler
    ) -> tuple[State, Tensor]:
        """The states (T, B, ...) and the log-probabilities of the posterior."""
        steps = []
        # Unbound at once: indexing in the loop would fill a whole sequence with zeros per step when going backward.
        for inputs in zip(keep.unbind(), actions.unbind(), embedded.unbind(), strict=True):
            state, posterior = self._observe_step(state, fresh, *inputs, sampler)
            steps.append((state.deter, state.stoch, posterior))
        deters, stochs, posteriors = (torch.stack(part) for part in zip(*steps, strict=True))
        return State(deters, stochs), posteriors

    def _observe_step(
        self, state: State, fresh: State, keep: Tensor, action: Tensor, embedded: Tensor, sampler: Sampler
    ) -> tuple[State, Tensor]:
        # An episode must not leak into the next one: where it starts, the past is forgotten.
        deter = keep * state.deter + (1 - keep) * fresh.deter
        stoch = keep[..., None] * state.stoch + (1 - keep[..., None]) * fresh.stoch
        deter = self._advance(State(deter, stoch), action)
        posterior = self._log_probs(self.posterior_logits(deter, embedded))
        return State(deter, sample_one_hot(posterior, sampler)), posterior

    def _advance(self, state: State, action_embedding: Tensor) -> Tensor:
        """`advance` in float32, also under autocast: errors of the recurrence add up over the sequence."""
        device = state.deter.device.type
        if not torch.is_autocast_enabled(device):
            return self.advance(state, action_embedding)
        with torch.autocast(device, enabled=False):
            return self.advance(state, action_embedding.float())

    def _log_probs(self, logits: Tensor) -> Tensor:
        return log_probs(logits.unflatten(-1, (self.stochastic, self.classes)), self.unimix)

    def _draw(self, logits: Tensor, sampler: Sampler) -> OneHots:
        split = logits.unflatten(-1, (self.stochastic, self.classes))
        return ones_at(sampler.index(probs(split, self.unimix)), self.classes)

    def _zeros(self, batch: int) -> State:
        like = next(self.parameters())
        deter = torch.zeros(batch, self.deterministic, device=like.device)
        return State(deter, torch.zeros(batch, self.stochastic, self.classes, device=like.device))


def posterior_net(style: Style, config: LatentHeadConfig, outputs: int) -> nn.Sequential:
    """What follows the posterior's first layer, which each RSSM keeps apart to feed its two inputs separately."""
    units = config.hidden_size
    rest = mlp(style, units, units, config.layers - 1)
    return nn.Sequential(style.norm(units), nn.SiLU(), *rest, Linear(units, outputs, scale=1.0))


def prior_net(style: Style, config: LatentHeadConfig, inputs: int, outputs: int) -> nn.Sequential:
    return head(style, inputs, config.hidden_size, config.layers, outputs, scale=1.0)


def gated_update(deter: Tensor, reset: Tensor, candidate: Tensor, update: Tensor) -> Tensor:
    """The gates of both GRUs, always in float32: small updates to a large state vanish in half precision."""
    reset, candidate, update = reset.float(), candidate.float(), update.float()
    candidate = torch.tanh(torch.sigmoid(reset) * candidate)
    update = torch.sigmoid(update - 1)
    return update * candidate + (1 - update) * deter
