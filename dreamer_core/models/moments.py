"""The running range of the returns: advantages are divided by it, so that one entropy scale fits every task."""

import torch
from torch import Tensor, nn

from dreamer_core.config.model import MomentsConfig


class Moments(nn.Module):
    low: Tensor
    high: Tensor

    def __init__(self, config: MomentsConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))

    @torch.no_grad()
    def update(self, returns: Tensor) -> tuple[Tensor, Tensor]:
        """Take in a batch of returns; give back (offset, scale). The scale never falls below 1 / max."""
        flat = returns.detach().float().flatten()
        percentile = self.config.percentile
        levels = torch.quantile(flat, flat.new_tensor([percentile.low, percentile.high]))
        # In place, so that a captured CUDA graph keeps seeing the same memory.
        self.low.lerp_(levels[0], 1 - self.config.decay)
        self.high.lerp_(levels[1], 1 - self.config.decay)
        return self.low.clone(), (self.high - self.low).clamp(min=1 / self.config.max)
