"""Filtering by hand, the part that both recipes share: the posterior of one moment, and its gradient."""

from typing import NamedTuple

import torch
from torch import Tensor

from dreamer_core.models.activation import Back, Stage, activate, deactivate
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

    product: Tensor  # of the hidden layer, before its norm
    hidden: Tensor
    chosen: Tensor  # (B, S, C): softmax


def look(posterior: Posterior, deter: Tensor, observed: Tensor, classes: int) -> Look:
    product = torch.addmm(observed, deter, posterior.hidden.weight.t())
    hidden = activate(product, posterior.hidden)
    logits = torch.addmm(given(posterior.out.bias), hidden, posterior.out.weight.t())
    return Look(product, hidden, softmax(logits.unflatten(-1, (-1, classes))))


def look_back(posterior: Posterior, seen: Look, gradient: Tensor) -> tuple[Tensor, Back]:
    """From the gradient of the softmax to those of the logits (B, S * C) and of the hidden layer."""
    logits = softmax_gradient(gradient, seen.chosen).flatten(1)
    return logits, deactivate(logits @ posterior.out.weight, seen.product, posterior.hidden)


def given(part: Tensor | None) -> Tensor:
    assert part is not None
    return part
