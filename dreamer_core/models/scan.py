"""Filtering by hand, the part that both recipes share: the posterior of one moment, and its gradient."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.activation import Normed, Stage, normalize
from dreamer_core.models.distributions import softmax, softmax_gradient
from dreamer_core.rng import Sampler

_Moment = TypeVar("_Moment")  # what a scan keeps of one


class Posterior(NamedTuple):
    """From the deterministic state and the observation, which comes in already multiplied, to logits."""

    hidden: Stage
    out: Stage


class Plan(NamedTuple):
    """What the operation needs to know besides tensors."""

    sampler: Sampler
    unimix: float
    eps: float


class Look(NamedTuple):
    """What one look at an observation leaves behind for its gradient, (B, ...)."""

    normed: Normed  # of the hidden layer
    hidden: Tensor
    chosen: Tensor  # (B, S, C): softmax


def transposed(stage: Stage) -> Stage:
    """With its weight as (F, U): once, not at every moment."""
    return stage._replace(weight=stage.weight.t())


def look(posterior: Posterior, deter: Tensor, observed: Tensor, classes: int) -> Look:
    """One moment's posterior. Both stages are `transposed`."""
    normed = normalize(torch.addmm(observed, deter, posterior.hidden.weight), posterior.hidden)
    hidden = F.silu(normed.scaled)
    logits = torch.addmm(given(posterior.out.bias), hidden, posterior.out.weight)
    return Look(normed, hidden, softmax(logits.unflatten(-1, (-1, classes))))


def look_back(posterior: Posterior, seen: Look, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """From the gradient of the softmax to those of the logits (B, S * C) and of the hidden layer (B, U). The stages are
    as they came, not `transposed`."""
    logits = softmax_gradient(gradient, seen.chosen).flatten(1)
    return logits, logits @ posterior.out.weight


def forgets(keep: Tensor) -> list[bool]:
    """For each moment of `keep` (T, B, 1), whether any of its rows forgets its past: most moments have none."""
    return (keep != 1).flatten(1).any(1).tolist()


def given(part: Tensor | None) -> Tensor:
    assert part is not None
    return part


def go_back(
    back: Callable[[_Moment, Tensor, Tensor], tuple[Tensor, Tensor]],
    moments: Sequence[_Moment],
    keep: Tensor,
    upstream: tuple[Tensor, Tensor, Tensor],
    unimix: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of the state before the sequence, and of the deterministic one that episodes begin with.

    `back` goes from the gradients of a moment's deterministic state and softmax to those of the state before it.
    `upstream` (T, B, ...) are those of deterministic states, samples and probabilities from outside the sequence.
    """
    to_deter, to_stoch, to_probs = upstream
    # A sample's gradient is that of its probabilities (straight-through).
    to_chosen = (to_stoch + to_probs).mul_(1 - unimix)
    deter, stoch = torch.zeros_like(to_deter[0]), torch.zeros_like(to_stoch[0])
    first = torch.zeros_like(deter)
    parts = zip(moments, forgets(keep), keep, to_deter, to_chosen, strict=True)
    for moment, forgotten, kept, own_deter, own_chosen in reversed(list(parts)):
        chosen = torch.add(own_chosen, stoch, alpha=1 - unimix)
        deter, stoch = back(moment, deter.add_(own_deter), chosen)
        if forgotten:
            first += deter * (1 - kept)
            deter, stoch = deter.mul_(kept), stoch.mul_(kept)
        stoch = stoch.view_as(chosen)
    return deter, stoch, first
