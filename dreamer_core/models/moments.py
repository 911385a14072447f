"""The running range of the returns: advantages are divided by it, so that one entropy scale fits every task."""

import torch
from torch import Tensor, nn

from dreamer_core.config.model import MomentsConfig


class Moments(nn.Module):
    levels: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, config: MomentsConfig) -> None:
        super().__init__()
        self.config = config
        levels = torch.tensor([config.percentile.low, config.percentile.high])
        # Constants, but on the device: building them in `update` would be a transfer from the host each time.
        self.register_buffer("levels", levels, persistent=False)
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))

    @torch.no_grad()
    def update(self, returns: Tensor) -> tuple[Tensor, Tensor]:
        """Take in a batch of returns; give back (offset, scale). The scale never falls below 1 / max."""
        flat = returns.detach().float().flatten()
        low, high = torch.quantile(flat, self.levels)
        # In place, so that a captured CUDA graph keeps seeing the same memory.
        self.low.lerp_(low, 1 - self.config.decay)
        self.high.lerp_(high, 1 - self.config.decay)
        return self.low.clone(), (self.high - self.low).clamp(min=1 / self.config.max)
