"""LaProp with adaptive gradient clipping and a linear warm-up: the one optimizer of the `nature` recipe.

Gradients are clipped against the norm of their own weights, divided by the root of their second moment, and only then
given momentum (Adam does the last two the other way round).
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from dreamer_core.config.model import LaPropConfig
from dreamer_core.training.flat import flatten, split


class _Averages(NamedTuple):
    """What is kept about some weights, one after the other in one tensor."""

    weights: list[Tensor]
    steps: list[Tensor]  # how many each weight has taken
    first: Tensor
    second: Tensor


class LaProp(Optimizer):
    def __init__(self, groups: Iterable[dict[str, Any]], config: LaPropConfig) -> None:
        self.config = config
        self._averages: dict[int, _Averages] = {}  # of each group
        super().__init__(groups, {"lr": config.lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # the base is overloaded
        assert closure is None, "LaProp takes no closure"
        for place, group in enumerate(self.param_groups):
            weights = [p for p in group["params"] if p.grad is not None]
            if weights:
                self._update(self._averages_of(place, weights), group["lr"])
        return None

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._averages.clear()  # the state is made of other tensors now

    def _update(self, averages: _Averages, lr: float) -> None:
        config, (weights, steps, first, second) = self.config, averages
        gradient = flatten([p.grad for p in weights if p.grad is not None])
        if config.agc > 0:
            clip_adaptively(split(gradient, weights), weights, config.agc, config.agc_pmin)
        step = int(steps[0].item())
        beta1, beta2 = config.betas
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        scale = (second / (1 - beta2 ** (step + 1))).sqrt_().add_(config.eps)
        first.lerp_(gradient.div_(scale), 1 - beta1)
        update = split(first / (1 - beta1 ** (step + 1)), weights)
        if config.weight_decay > 0:
            torch._foreach_add_(update, weights, alpha=config.weight_decay)
        torch._foreach_add_(weights, update, alpha=-lr * warmup(step, config.warmup))
        torch._foreach_add_(steps, 1)

    def _averages_of(self, place: int, weights: list[Tensor]) -> _Averages:
        """Made at the first step, and again where other weights have a gradient. Their states become views of it."""
        known = self._averages.get(place)
        if known is not None and [*map(id, known.weights)] == [*map(id, weights)]:
            return known
        states = [self._state(p) for p in weights]
        first, second = (flatten([state[name] for state in states]) for name in ("exp_avg", "exp_avg_sq"))
        views = zip(states, split(first, weights), split(second, weights), strict=True)
        for state, of_first, of_second in views:
            state["exp_avg"], state["exp_avg_sq"] = of_first, of_second
        self._averages[place] = _Averages(weights, [state["step"] for state in states], first, second)
        return self._averages[place]

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


def clip_adaptively(gradients: list[Tensor], weights: list[Tensor], clip: float, minimum: float) -> None:
    """Scale each gradient, where it lies, down to at most `clip` times the norm of its weights."""
    norms = torch.stack(torch._foreach_norm(gradients))
    upper = clip * torch.stack(torch._foreach_norm(weights)).clamp(min=minimum)
    torch._foreach_mul_(gradients, list((1 / (norms / upper).clamp(min=1.0)).unbind()))
