"""What contestants that use PyTorch share: threads, the size of a network, and what an update of it is made of."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from update_step_child import Entry, threads


class Operators(TorchDispatchMode):
    """Every operator that is dispatched, going forward, backward, and in the optimizer."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen[str(func)] += 1
        return func(*args, **(kwargs or {}))


def set_threads() -> None:
    torch.set_num_threads(threads())


def entry_of(update: Callable[[], object], weights: Iterable[torch.Tensor]) -> Entry:
    """`weights` are those that the update trains."""
    parameters = sum(weight.numel() for weight in {id(weight): weight for weight in weights}.values())
    return Entry(update, parameters, lambda: _count(update), {"torch": torch.__version__})


def _count(update: Callable[[], object]) -> dict[str, Any]:
    flops, operators = FlopCounterMode(display=False), Operators()
    with flops, operators:
        update()
    return {"gflop": flops.get_total_flops() / 1e9, "operators": operators.seen.total()}
