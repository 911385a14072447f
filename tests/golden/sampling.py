"""Takes the luck out of the reference: every sample becomes the most likely value.

Two implementations draw from different random streams, so only the mode can be compared. Where two classes are almost
equally likely even the mode depends on the last bit; the margin is measured, and weights that come to such a tie are
refused.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.distributions import Normal, OneHotCategorical

SMALLEST_MARGIN = 1e-3


class NearTieError(ValueError):
    """Two implementations could round this mode differently; draw other weights."""


@dataclass
class Margin:
    """The smallest distance of any decision taken so far from going the other way."""

    smallest: float = 1.0

    def mode(self, probs: Tensor) -> Tensor:
        """The one-hot of the likeliest class, without gradient."""
        likeliest = probs.detach().topk(2, dim=-1).values
        self._narrow(likeliest[..., 0] - likeliest[..., 1])
        index = probs.detach().argmax(-1)
        return torch.nn.functional.one_hot(index, probs.shape[-1]).to(probs.dtype)

    def survives(self, probs: Tensor) -> Tensor:
        """1 where an event is likelier than not."""
        self._narrow((probs.detach() - 0.5).abs())
        return (probs > 0.5).to(probs.dtype)

    def _narrow(self, gaps: Tensor) -> None:
        self.smallest = min(self.smallest, float(gaps.min()))


# Attribute name to its owner and to what makes its replacement.
Samplers = Mapping[str, tuple[Any, Callable[[Margin], Any]]]


@contextmanager
def modes_for_samples(more: Samplers | None = None, *, refuse_ties: bool = True) -> Iterator[Margin]:
    """Replace what torch's distributions draw, and `more` samplers of the reference's own."""
    margin = Margin()
    with ExitStack() as stack:
        for owner, name, replacement in (
            (OneHotCategorical, "sample", lambda self, shape=(): margin.mode(self.probs)),
            (OneHotCategorical, "mode", property(lambda self: margin.mode(self.probs))),
            (Normal, "sample", lambda self, shape=(): self.loc.detach()),
            (Normal, "rsample", lambda self, shape=(): self.loc),
        ):
            stack.enter_context(patch.object(owner, name, replacement))
        for name, (owner, make) in (more or {}).items():
            stack.enter_context(patch.object(owner, name, make(margin)))
        yield margin
    if refuse_ties and margin.smallest < SMALLEST_MARGIN:
        raise NearTieError(f"a mode was decided by {margin.smallest:.1e}")
