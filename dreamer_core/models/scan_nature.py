"""Filtering a whole sequence with the nature RSSM as one operation, with its gradient by hand.

Autograd books some 90 operators for every moment and multiplies every weight's gradient out for 16 rows at a time. Here
a moment takes half as many going either way, and each weight gets its gradient from all moments in one product.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from dreamer_core.models.activation import Normed, Stage, through_rms
from dreamer_core.models.cell_nature import Cell, Step, advance, by_block, from_blocks
from dreamer_core.models.distributions import with_uniform
from dreamer_core.models.gates import back_through
from dreamer_core.models.scan import Look, Plan, Posterior, forgets, given, go_back, look, look_back, transposed
from dreamer_core.types import State


class _Moment(NamedTuple):
    """What one moment leaves behind for its gradient, (B, ...)."""

    deter: Tensor  # before, where it was kept
    stoch: Tensor  # likewise
    step: Step
    seen: Look


def scan(
    cell: Cell, posterior: Posterior, start: State, keep: Tensor, known: tuple[Tensor, Tensor], plan: Plan
) -> tuple[Tensor, Tensor, Tensor]:
    """Deterministic and stochastic states (T, B, ...) and the posterior's probabilities.

    `start` (B, ...) is where the sequence starts, `keep` (T, B, 1) is 0 where the past is forgotten;
    `known` is what the hidden layers of cell and posterior take from actions (T, B, D) and observations (T, B, U).
    """
    weights = [*cell.deter[:3], *cell.stoch[:3], cell.own, cell.shared, cell.hidden.gain, cell.gates, cell.gates_bias]
    weights += [posterior.hidden.weight, posterior.hidden.gain, *posterior.out[:2]]
    out: tuple[Tensor, Tensor, Tensor] = _Scan.apply(plan, keep, *start, *known, *weights)  # type: ignore[no-untyped-call]
    return out


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, plan: Plan, keep: Tensor, deter: Tensor, stoch: Tensor, actions: Tensor, seen: Tensor, *weights: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        cell, posterior = _arrange(weights, plan.eps)
        posterior = Posterior(*map(transposed, posterior))
        cell = cell._replace(deter=transposed(cell.deter), stoch=transposed(cell.stoch))
        moments, states = [], []
        for kept, forgotten, action, observed in zip(keep, forgets(keep), actions, seen, strict=True):
            if forgotten:
                deter, stoch = kept * deter, kept[..., None] * stoch
            from_deter = torch.addmm(given(cell.deter.bias), deter, cell.deter.weight)
            from_stoch = torch.addmm(given(cell.stoch.bias), stoch.flatten(1), cell.stoch.weight)
            step = advance(cell, deter, from_deter, from_stoch, action)
            found = look(posterior, step.deter, observed, stoch.shape[-1])
            moments.append(_Moment(deter, stoch, step, found))
            probs = with_uniform(found.chosen, plan.unimix)
            deter, stoch = step.deter, plan.sampler.one_hot(probs)
            states.append((deter, stoch, probs))
        ctx.plan, ctx.moments = plan, moments
        ctx.save_for_backward(keep, *weights)
        deters, stochs, probs = (torch.stack(part) for part in zip(*states, strict=True))
        return deters, stochs, probs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_deter: Tensor, to_stoch: Tensor, to_probs: Tensor) -> tuple[Tensor | None, ...]:
        keep, *weights = ctx.saved_tensors
        cell, posterior = _arrange(weights, ctx.plan.eps)
        books = _Books(cell, posterior, ctx.moments)
        upstream = to_deter, to_stoch, to_probs
        deter, stoch, _ = go_back(books.back, ctx.moments, keep, upstream, ctx.plan.unimix)
        return None, None, deter, stoch, *books.close()


def _arrange(weights: Sequence[Any], eps: float) -> tuple[Cell, Posterior]:
    """The other way round than `scan` lays them out."""
    deter, deter_bias, deter_gain, stoch, stoch_bias, stoch_gain, own, shared, gain, gates, gates_bias = weights[:11]
    seen, seen_gain, out, out_bias = weights[11:]
    unused = shared[:0]  # what the cell takes from actions came in multiplied
    cell = Cell(
        deter=Stage(deter, deter_bias, deter_gain, None, eps),
        stoch=Stage(stoch, stoch_bias, stoch_gain, None, eps),
        own=own,
        shared=shared,
        action=unused,
        bias=unused,
        hidden=Stage(shared, None, gain, None, eps),
        gates=gates,
        gates_bias=gates_bias,
    )
    return cell, Posterior(Stage(seen, None, seen_gain, None, eps), Stage(out, out_bias))


class _Books:
    """The gradients of every product of every moment, from which those of the weights are made at the end."""

    def __init__(self, cell: Cell, posterior: Posterior, moments: list[_Moment]) -> None:
        self.cell, self.posterior, self.moments = cell, posterior, moments
        self.entries: list[tuple[Tensor, ...]] = []
        # Once, not at every moment.
        self.transposed = cell._replace(own=cell.own.mT, shared=cell.shared.mT, gates=cell.gates.mT)
        self.gains: list[list[Tensor]] = [[], [], [], []]  # of each norm, row by row

    def back(self, moment: _Moment, deter: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """From the gradients of a moment's state to those of the state before it."""
        cell, posterior, step = self.cell, self.posterior, moment.step
        logits, to_hidden = look_back(posterior, moment.seen, chosen)
        seen = self._through(3, to_hidden, moment.seen.normed, posterior.hidden)
        deter = deter.addmm_(seen, posterior.hidden.weight)
        gates, past = back_through(step.gates, by_block(deter, cell), by_block(moment.deter, cell))
        hidden = from_blocks(torch.bmm(gates, self.transposed.gates))
        product = self._through(2, hidden, step.normed, cell.hidden)
        past = torch.baddbmm(past, by_block(product, cell), self.transposed.own)
        both = product @ self.transposed.shared
        units = both.shape[1] // 2
        from_deter = self._through(0, both[:, :units], step.from_deter, cell.deter)
        from_stoch = self._through(1, both[:, units:], step.from_stoch, cell.stoch)
        self.entries.append((from_deter, from_stoch, product, gates, seen, logits))
        return from_blocks(past).addmm_(from_deter, cell.deter.weight), from_stoch @ cell.stoch.weight

    def close(self) -> list[Tensor]:
        """Of actions, observations and all weights, in the order in which they came."""
        cell, moments = self.cell, self.moments
        columns = list(zip(*reversed(self.entries), strict=True))
        from_deter, from_stoch, product, seen, logits = (torch.cat(columns[i]) for i in (0, 1, 2, 4, 5))
        gates = torch.cat(columns[3], 1)
        kept = by_block(torch.cat([m.deter for m in moments]), cell)
        hidden = torch.cat([m.step.hidden for m in moments], 1)
        gains = [torch.cat(rows).sum(0) for rows in self.gains]
        rows = len(moments), -1
        return [
            product.unflatten(0, rows),
            seen.unflatten(0, rows),
            from_deter.t() @ torch.cat([m.deter for m in moments]),
            from_deter.sum(0),
            gains[0],
            from_stoch.t() @ torch.cat([m.stoch for m in moments]).flatten(1),
            from_stoch.sum(0),
            gains[1],
            torch.bmm(kept.transpose(1, 2), by_block(product, cell)),
            torch.cat([m.step.both for m in moments]).t() @ product,
            gains[2],
            torch.bmm(hidden.transpose(1, 2), gates),
            gates.sum(1, keepdim=True),
            seen.t() @ torch.cat([m.step.deter for m in moments]),
            gains[3],
            logits.t() @ torch.cat([m.seen.hidden for m in moments]),
            logits.sum(0),
        ]

    def _through(self, which: int, gradient: Tensor, found: Normed, stage: Stage) -> Tensor:
        product, gain = through_rms(torch.ops.aten.silu_backward(gradient, found.scaled), found, stage)
        self.gains[which].append(gain)
        return product
