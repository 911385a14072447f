"""A chain of linear, norm, SiLU as one operation, with its gradient by hand.

The result is that of `nn.Sequential`, to rounding. What is gained: one-hots choose rows instead of being multiplied
with, and going backward computes what lies between two products again instead of keeping it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from dreamer_core.models import gather
from dreamer_core.models.activation import Stage, activate, deactivate, normalize
from dreamer_core.models.gather import OneHots


class Trace(NamedTuple):
    """What going forward over rows (N, F) leaves behind."""

    out: Tensor  # (N, U)
    products: list[Tensor]  # those that norms follow


def run_chain(stages: Sequence[Stage], x: Tensor, ones: OneHots | None = None) -> Tensor:
    """x (..., F) to (..., U). `ones` tells where the ones are in the one-hots that x starts with."""
    return _run(stages, x, ones, None)


class WatchedChain:
    """A chain that runs moment by moment without a gradient, and in the end has one for all moments at once."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages, self.traces = stages, list[Trace]()
        self.rows: Tensor | None = None

    @torch.no_grad()
    def step(self, x: Tensor, ones: OneHots) -> Tensor:
        """x (N, F) to (N, U)."""
        if self.rows is None:  # the same for all moments
            self.rows = _first_rows(self.stages[0], ones)
        self.traces.append(_forward(self.stages, x, ones, self.rows))
        return self.traces[-1].out

    def with_gradient(self, x: Tensor, ones: OneHots) -> Tensor:
        """What came out (T, N, U) of the first T moments x (T, N, F). No product is made a second time."""
        traces = self.traces[: len(x)]
        products = [torch.cat(parts) for parts in zip(*(trace.products for trace in traces), strict=True)]
        return _run(self.stages, x, ones, Trace(torch.cat([trace.out for trace in traces]), products))


def _run(stages: Sequence[Stage], x: Tensor, ones: OneHots | None, trace: Trace | None) -> Tensor:
    rows = x.reshape(-1, x.shape[-1])
    flat = None if ones is None else OneHots(ones.at.reshape(-1, ones.at.shape[-1]), ones.width)
    parameters = [parameter for stage in stages for parameter in stage[:4]]
    needs_gradient = torch.is_grad_enabled() and any(p is not None and p.requires_grad for p in (x, *parameters))
    if needs_gradient:
        out: Tensor = _Chain.apply([stage.eps for stage in stages], flat, trace, rows, *parameters)  # type: ignore[no-untyped-call]
    else:
        out = (trace or _forward(stages, rows, flat)).out
    return torch.unflatten(out, 0, x.shape[:-1])


class _Chain(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, eps: list[float], ones: OneHots | None, trace: Trace | None, x: Tensor, *parameters: Tensor | None
    ) -> Tensor:
        out, products = trace or _forward(_stages(eps, parameters), x, ones)
        ctx.eps, ctx.width = eps, ones.width if ones is not None else 0
        ctx.save_for_backward(x, None if ones is None else ones.at, *parameters, *products)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, index, *rest = ctx.saved_tensors
        count = 4 * len(ctx.eps)
        stages, products = _stages(ctx.eps, rest[:count]), rest[count:]
        ones = None if index is None else OneHots(index, ctx.width)
        gradients: list[Tensor | None] = []
        found = None if stages[-1].gain is None else normalize(products[-1], stages[-1])
        for place in reversed(range(len(stages))):
            stage, gain, shift = stages[place], None, None
            if found is not None:
                gradient, gain, shift = deactivate(gradient, found, stage)
            bias = None if stage.bias is None else gradient.sum(0)
            if place:
                # For the activation here, and for its own gradient in the next turn.
                found = normalize(products[place - 1], stages[place - 1])
                weight = gradient.t() @ F.silu(found.scaled)
            else:
                weight = gather.weight_gradient(gradient, x, ones)
            gradients = [weight, bias, gain, shift, *gradients]
            if place or ctx.needs_input_grad[3]:
                gradient = gradient @ stage.weight
        return None, None, None, gradient if ctx.needs_input_grad[3] else None, *gradients


def _stages(eps: Sequence[float], parameters: Sequence[Tensor | None]) -> list[Stage]:
    fours = [parameters[start : start + 4] for start in range(0, len(parameters), 4)]
    return [Stage(*four, eps) for four, eps in zip(fours, eps, strict=True)]  # type: ignore[arg-type, call-arg]


def _forward(stages: Sequence[Stage], x: Tensor, ones: OneHots | None, rows: Tensor | None = None) -> Trace:
    """`rows` are those that one-hots choose from in the first layer, where they are known."""
    products = []
    for stage in stages:
        if ones is not None and stage is stages[0]:
            x = gather.linear(x, ones.at, _first_rows(stage, ones) if rows is None else rows, stage.weight)
        else:
            x = F.linear(x, stage.weight, stage.bias)
        if stage.gain is not None:
            products.append(x)
            x = activate(x, stage)
    return Trace(x, products)


def _first_rows(stage: Stage, ones: OneHots) -> Tensor:
    return gather.table(stage.weight[:, : ones.width], stage.bias, ones.width // ones.at.shape[-1])
