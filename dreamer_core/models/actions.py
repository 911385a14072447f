"""Actions as replay stores them, as models see them, and as environments take them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core import rng
from dreamer_core.types import NO_ACTION, ActionSpec


def encode(stored: Tensor, spec: ActionSpec) -> Tensor:
    """Stored (..., K) or (..., A) to what models read (..., A). A row without an action becomes zeros."""
    if spec.is_continuous:
        return stored.float()
    parts = []
    for head, size in enumerate(spec.sizes):
        index = stored[..., head].long()
        # One class more, which stands for "no action", and is cut off again.
        one_hot = F.one_hot(torch.where(index == NO_ACTION, size, index), size + 1)
        parts.append(one_hot[..., :size])
    return torch.cat(parts, -1).float()


def decode(action: Tensor, spec: ActionSpec) -> Tensor:
    """What a policy sampled (..., A) to what is stored and played."""
    if spec.is_continuous:
        return action.float().clamp(-1, 1)
    heads = action.split(list(spec.sizes), -1)
    return torch.stack([head.argmax(-1) for head in heads], -1).to(torch.int32)


def no_action(batch: int, spec: ActionSpec) -> Tensor:
    """What a row without an action stores."""
    if spec.is_continuous:
        return torch.zeros(batch, spec.stored_width)
    return torch.full((batch, spec.stored_width), NO_ACTION, dtype=torch.int32)


def random_action(batch: int, spec: ActionSpec, generator: torch.Generator) -> Tensor:
    """Uniform over what the environment accepts, on the CPU wherever the generator is."""
    if spec.is_continuous:
        return (rng.rand((batch, spec.stored_width), generator) * 2 - 1).cpu()
    heads = [rng.randint(0, size, (batch,), generator) for size in spec.sizes]
    return torch.stack(heads, -1).to(torch.int32).cpu()
