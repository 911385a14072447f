"""Categoricals, symlog and squared errors in closed form: no distribution objects, no validation, few operators."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.constants import constant
from dreamer_core.rng import FEW_CLASSES, Sampler

# Below this, sheeprl counts a squared symlog error as exactly zero.
SYMLOG_TOLERANCE = 1e-8


def symlog(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.log1p(x.abs())


def symexp(x: Tensor) -> Tensor:
    return torch.sign(x) * torch.expm1(x.abs())


def probs(logits: Tensor, unimix: float) -> Tensor:
    """Probabilities (..., C) with a little uniform mixed in, so that no class ever dies."""
    plain = softmax(logits.float())
    if unimix <= 0:
        return plain
    if plain.requires_grad:
        return with_uniform(plain, unimix)
    return plain.mul_(1 - unimix).add_(unimix / plain.shape[-1])  # in place: nobody else holds it


def with_uniform(probs: Tensor, unimix: float) -> Tensor:
    uniform = constant(unimix / probs.shape[-1], probs.dtype, probs.device)
    return torch.add(uniform, probs, alpha=1 - unimix)


def log_probs(logits: Tensor, unimix: float) -> Tensor:
    """The logarithms of `probs`."""
    return torch.log(probs(logits, unimix)) if unimix > 0 else logits.float().log_softmax(-1)


def softmax(logits: Tensor) -> Tensor:
    """Over the last dimension. For few classes torch's way row by row takes twelve times as long as class by class, so
    the result is laid out class by class in memory."""
    if logits.shape[-1] > FEW_CLASSES:
        return logits.softmax(-1)
    return logits.movedim(-1, 0).contiguous().softmax(0).movedim(0, -1)


def softmax_gradient(gradient: Tensor, probs: Tensor) -> Tensor:
    """Of the logits, from the gradient of their `softmax`."""
    weighted = gradient * probs
    return weighted.addcmul_(probs, weighted.sum(-1, keepdim=True), value=-1)


def sample_one_hot(log_prob: Tensor, sampler: Sampler) -> Tensor:
    """A one-hot sample (..., C) whose gradient is the gradient of its probabilities (straight-through)."""
    probs = log_prob.exp()
    sample = sampler.one_hot(probs)
    return sample + (probs - probs.detach()) if probs.requires_grad else sample


def categorical_kl(posterior: Tensor, prior: Tensor) -> Tensor:
    """KL(posterior || prior) from log-probabilities (..., S, C), summed over the S variables."""
    return (posterior.exp() * (posterior - prior)).sum((-2, -1))


def categorical_entropy(log_prob: Tensor) -> Tensor:
    """Entropy from log-probabilities (..., S, C), summed over the S variables."""
    return -(log_prob.exp() * log_prob).sum((-2, -1))


def bernoulli_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Negative log-likelihood of a target in [0, 1], which may be soft."""
    return F.binary_cross_entropy_with_logits(logits.float(), target.float(), reduction="none")


def squared_error(prediction: Tensor, target: Tensor, event_dims: int) -> Tensor:
    return (prediction.float() - target.float()).square().sum(tuple(range(-event_dims, 0)))


def symlog_squared_error(prediction: Tensor, target: Tensor, tolerance: float = 0.0) -> Tensor:
    """Squared error of a vector (..., n) against the symlog of its target, summed over n."""
    error = (prediction.float() - symlog(target.float())).square()
    if tolerance > 0:
        error = torch.where(error < tolerance, torch.zeros_like(error), error)
    return error.sum(-1)
