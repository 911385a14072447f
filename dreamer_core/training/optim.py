"""LaProp with adaptive gradient clipping and a linear warm-up: the one optimizer of the `nature` recipe.

Gradients are clipped against the norm of their own weights, divided by the root of their second moment, and only then
given momentum (Adam does the last two the other way round).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from dreamer_core.config.model import LaPropConfig


class LaProp(Optimizer):
    def __init__(self, groups: Iterable[dict[str, Any]], config: LaPropConfig) -> None:
        self.config = config
        super().__init__(groups, {"lr": config.lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # the base is overloaded
        assert closure is None, "LaProp takes no closure"
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            if weights:
                self._update(weights, group["lr"])
        return None

    def _update(self, weights: list[Tensor], lr: float) -> None:
        config, states = self.config, [self._state(p) for p in weights]
        gradients = [p.grad for p in weights if p.grad is not None]
        if config.agc > 0:
            gradients = clip_adaptively(gradients, weights, config.agc, config.agc_pmin)
        first, second = [s["exp_avg"] for s in states], [s["exp_avg_sq"] for s in states]
        step = int(states[0]["step"].item())
        beta1, beta2 = config.betas
        torch._foreach_mul_(second, beta2)
        torch._foreach_addcmul_(second, gradients, gradients, value=1 - beta2)
        scale = torch._foreach_sqrt(torch._foreach_div(second, 1 - beta2 ** (step + 1)))
        torch._foreach_add_(scale, config.eps)
        torch._foreach_lerp_(first, torch._foreach_div(gradients, scale), 1 - beta1)
        update = torch._foreach_div(first, 1 - beta1 ** (step + 1))
        if config.weight_decay > 0:
            torch._foreach_add_(update, weights, alpha=config.weight_decay)
        torch._foreach_add_(weights, update, alpha=-lr * warmup(step, config.warmup))
        for state in states:
            state["step"] += 1

    def _state(self, parameter: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.int64)  # stays on the CPU: reading it must not wait for a GPU
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        return state


def warmup(step: int, length: int) -> float:
    """The share of the learning rate at a step: 0 at the first, 1 from `length` on."""
    return min(1.0, step / length) if length else 1.0


def clip_adaptively(gradients: list[Tensor], weights: list[Tensor], clip: float, minimum: float) -> list[Tensor]:
    """Scale each gradient down to at most `clip` times the norm of its weights."""
    norms = torch.stack(torch._foreach_norm(gradients))
    upper = clip * torch.stack(torch._foreach_norm(weights)).clamp(min=minimum)
    return list(torch._foreach_mul(gradients, list((1 / (norms / upper).clamp(min=1.0)).unbind())))
