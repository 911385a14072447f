"""Filtering a whole sequence with the sheeprl RSSM as one operation, with its gradient by hand.

As in `scan_nature`: fewer operators a moment, and each weight gets its gradient from all moments in one product.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from dreamer_core.models.activation import Back, Normed, Stage, deactivate, normalize, through_layer_norm
from dreamer_core.models.distributions import with_uniform
from dreamer_core.models.gates import Gates, back_through, open_gates
from dreamer_core.models.scan import Look, Plan, Posterior, forgets, given, go_back, look, look_back, transposed
from dreamer_core.types import State


class Cell(NamedTuple):
    """`SheeprlRSSM.advance`, with what comes from the action taken out of it."""

    mix: Stage  # of the stochastic state, (U, S * C)
    gates: Stage  # of the deterministic state and the mix, (3 D, D + U); its norm has no SiLU, its shift is lowered


class _Moment(NamedTuple):
    """What one moment leaves behind for its gradient, (B, ...)."""

    deter: Tensor  # before, or the first one where an episode begins
    stoch: Tensor  # likewise
    mixed: Normed  # of the stochastic state and the action
    both: Tensor  # the deterministic state and the mix
    normed: Normed  # of what leads to the gates
    gates: Gates
    after: Tensor
    seen: Look


def scan(
    cell: Cell, posterior: Posterior, start: State, fresh: State, keep: Tensor, known: tuple[Tensor, Tensor], plan: Plan
) -> tuple[Tensor, Tensor, Tensor]:
    """Deterministic and stochastic states (T, B, ...) and the posterior's probabilities.

    `start` (B, ...) is where the sequence starts, `keep` (T, B, 1) is 0 where an episode begins with `fresh` instead;
    `known` is what the mix takes from actions (T, B, U) and the posterior's hidden layer from observations (T, B, U).
    """
    weights = [*_normed(cell.mix), *_normed(cell.gates), *_normed(posterior.hidden), *posterior.out[:2]]
    out: tuple[Tensor, Tensor, Tensor] = _Scan.apply(  # type: ignore[no-untyped-call]
        plan, keep, fresh.stoch.detach(), *start, fresh.deter, *known, *weights
    )
    return out


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        plan: Plan,
        keep: Tensor,
        first_stoch: Tensor,
        deter: Tensor,
        stoch: Tensor,
        first_deter: Tensor,
        actions: Tensor,
        seen: Tensor,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        cell, posterior = _arrange(weights, plan.eps)
        cell, posterior = Cell(*map(transposed, cell)), Posterior(*map(transposed, posterior))
        moments, states = [], []
        for kept, forgotten, action, observed in zip(keep, forgets(keep), actions, seen, strict=True):
            if forgotten:
                deter = torch.lerp(first_deter, deter, kept)
                stoch = torch.lerp(first_stoch, stoch, kept[..., None])
            moment = _step(cell, posterior, deter, stoch, action, observed)
            moments.append(moment)
            probs = with_uniform(moment.seen.chosen, plan.unimix)
            deter, stoch = moment.after, plan.sampler.one_hot(probs)
            states.append((deter, stoch, probs))
        ctx.plan, ctx.moments = plan, moments
        ctx.save_for_backward(keep, *weights)
        deters, stochs, probs = (torch.stack(part) for part in zip(*states, strict=True))
        return deters, stochs, probs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_deter: Tensor, to_stoch: Tensor, to_probs: Tensor) -> tuple[Tensor | None, ...]:
        keep, *weights = ctx.saved_tensors
        books = _Books(*_arrange(weights, ctx.plan.eps), ctx.moments)
        upstream = to_deter, to_stoch, to_probs
        deter, stoch, first = go_back(books.back, ctx.moments, keep, upstream, ctx.plan.unimix)
        return None, None, None, deter, stoch, first, *books.close()


def _step(cell: Cell, posterior: Posterior, deter: Tensor, stoch: Tensor, action: Tensor, observed: Tensor) -> _Moment:
    """All stages are `transposed`."""
    mixed = normalize(torch.addmm(action, stoch.flatten(1), cell.mix.weight), cell.mix)
    both = torch.cat([deter, F.silu(mixed.scaled)], -1)
    normed = normalize(both @ cell.gates.weight, cell.gates)
    after, gates = open_gates(normed.scaled, deter)
    seen = look(posterior, after, observed, stoch.shape[-1])
    return _Moment(deter, stoch, mixed, both, normed, gates, after, seen)


def _normed(stage: Stage) -> tuple[Tensor, Tensor, Tensor]:
    return stage.weight, given(stage.gain), given(stage.shift)


def _arrange(weights: Sequence[Tensor], eps: float) -> tuple[Cell, Posterior]:
    """The other way round than `scan` lays them out."""
    mix, gates, hidden = (Stage(weights[i], None, weights[i + 1], weights[i + 2], eps) for i in (0, 3, 6))
    return Cell(mix, gates), Posterior(hidden, Stage(weights[9], weights[10]))


class _Books:
    """The gradients of every product of every moment, from which those of the weights are made at the end."""

    def __init__(self, cell: Cell, posterior: Posterior, moments: list[_Moment]) -> None:
        self.cell, self.posterior, self.moments = cell, posterior, moments
        self.entries: list[tuple[Tensor, ...]] = []
        self.norms = [
            (torch.zeros_like(given(stage.gain)), torch.zeros_like(given(stage.shift)))
            for stage in (cell.mix, cell.gates, posterior.hidden)
        ]

    def back(self, moment: _Moment, deter: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """From the gradients of a moment's state to those of the state it came from."""
        cell, posterior = self.cell, self.posterior
        logits, to_hidden = look_back(posterior, moment.seen, chosen)
        seen = self._keep(2, deactivate(to_hidden, moment.seen.normed, posterior.hidden))
        gates, past = back_through(moment.gates, deter.addmm_(seen, posterior.hidden.weight), moment.deter)
        product = self._keep(1, through_layer_norm(gates, moment.normed, cell.gates))
        both = product @ cell.gates.weight
        width = deter.shape[1]
        mixed = self._keep(0, deactivate(both[:, width:], moment.mixed, cell.mix))
        self.entries.append((mixed, product, seen, logits))
        return past.add_(both[:, :width]), mixed @ cell.mix.weight

    def close(self) -> list[Tensor]:
        """Of actions, observations and all weights, in the order in which they came."""
        moments = self.moments
        mixed, product, seen, logits = (torch.cat(column) for column in zip(*reversed(self.entries), strict=True))
        rows = len(moments), -1
        return [
            mixed.unflatten(0, rows),
            seen.unflatten(0, rows),
            mixed.t() @ torch.cat([m.stoch for m in moments]).flatten(1),
            *self.norms[0],
            product.t() @ torch.cat([m.both for m in moments]),
            *self.norms[1],
            seen.t() @ torch.cat([m.after for m in moments]),
            *self.norms[2],
            logits.t() @ torch.cat([m.seen.hidden for m in moments]),
            logits.sum(0),
        ]

    def _keep(self, which: int, back: Back) -> Tensor:
        gain, shift = self.norms[which]
        gain += back.gain
        shift += given(back.shift)
        return back.product
