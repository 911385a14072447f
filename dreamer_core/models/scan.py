"""Filtering by hand, the part that both recipes share: the posterior of one moment, and its gradient."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.activation import Normed, Stage, normalize
from dreamer_core.models.distributions import softmax, softmax_gradient
from dreamer_core.rng import Sampler


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


def turned(stage: Stage) -> Stage:
    """With its weight as (F, U): turned once, not at every moment."""
    return stage._replace(weight=stage.weight.t())


def look(posterior: Posterior, deter: Tensor, observed: Tensor, classes: int) -> Look:
    """The stages of `posterior` are `turned`."""
    normed = normalize(torch.addmm(observed, deter, posterior.hidden.weight), posterior.hidden)
    hidden = F.silu(normed.scaled)
    logits = torch.addmm(given(posterior.out.bias), hidden, posterior.out.weight)
    return Look(normed, hidden, softmax(logits.unflatten(-1, (-1, classes))))


def look_back(posterior: Posterior, seen: Look, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """From the gradient of the softmax to those of the logits (B, S * C) and of the hidden layer (B, U)."""
    logits = softmax_gradient(gradient, seen.chosen).flatten(1)
    return logits, logits @ posterior.out.weight


def forgets(keep: Tensor) -> list[bool]:
    """For each moment of `keep` (T, B, 1), whether any of its rows forgets its past: most moments have none."""
    return (keep == 0).flatten(1).any(1).tolist()


def given(part: Tensor | None) -> Tensor:
    assert part is not None
    return part
