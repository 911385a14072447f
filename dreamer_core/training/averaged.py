"""The mean of an agent's weights over the newest share of its updates: steadier than any one of them, for judging.

The mean is a running one whose newest weights count with 1 / (share x updates so far), so that it reaches back over
some tenth, say, of the training whether that is five hundred updates long or fifty thousand: there is no horizon to
choose (polynomial-decay averaging: Shamir and Zhang 2013, "Stochastic gradient descent for non-smooth optimization").
"""

import copy

import torch

from dreamer_core.models.agent import Agent


class Averaged:
    def __init__(self, agent: Agent, share: float) -> None:
        self.source, self.share = agent, share
        self.agent = copy.deepcopy(agent).requires_grad_(False)

    @torch.no_grad()
    def follow(self, updates: int) -> None:
        """Once after each update; `updates` counts those done."""
        weight = min(1.0, 1.0 / (self.share * updates))
        torch._foreach_lerp_(list(self.agent.parameters()), list(self.source.parameters()), weight)
        for kept, now in zip(self.agent.buffers(), self.source.buffers(), strict=True):
            kept.copy_(now)
