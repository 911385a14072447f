"""Ways to get numbers out of reference code that was not written to hand them out."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from tests.golden.recording import Recording
from tests.golden.sampling import Samplers, modes_for_samples


class Metrics:
    """Stands in for the reference's metric aggregator: keeps the last value of each."""

    disabled = False

    def __init__(self) -> None:
        self.values: dict[str, Tensor] = {}

    def update(self, name: str, value: Tensor) -> None:
        self.values[name] = value.detach()


class LoneProcess:
    """All that Moments needs from Fabric when there is one process."""

    @staticmethod
    def all_gather(value: Tensor) -> Tensor:
        return value


@contextmanager
def watched(module: Any, *names: str) -> Iterator[dict[str, list[tuple[tuple[Any, ...], Any]]]]:
    """Keep (arguments, result) of each call that code in `module` makes to its global functions `names`."""
    seen: dict[str, list[tuple[tuple[Any, ...], Any]]] = {name: [] for name in names}

    def watch(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watcher(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            seen[name].append((args, result))
            return result

        return watcher

    with ExitStack() as stack:
        for name in names:
            stack.enter_context(patch.object(module, name, watch(name, getattr(module, name))))
        yield seen


def record_module(
    record: Recording,
    module: nn.Module,
    given: Mapping[str, Tensor],
    outputs: Callable[[], Mapping[str, Tensor]],
    samplers: Samplers | None = None,
) -> None:
    """Weights, inputs, outputs and gradients of one module, with modes for samples."""
    record.params(module=module)
    record.inputs(**given)
    with modes_for_samples(samplers) as margin:
        record.energy_grads(outputs(), given, module=module)
    record.settings["smallest_mode_margin"] = margin.smallest


def record_fresh(record: Recording, modules: Mapping[str, nn.Module]) -> None:
    """What an agent starts as: names and shapes of its weights, which are zero or one, and how large the others are."""
    weights = {f"{m}.{n}": value for m, module in modules.items() for n, value in module.state_dict().items()}
    record.settings.update(names=list(weights), shapes=[list(w.shape) for w in weights.values()])
    record.settings["zero"] = [name for name, value in weights.items() if not value.any()]
    record.settings["one"] = [name for name, value in weights.items() if torch.equal(value, torch.ones_like(value))]
    record.outputs(largest=torch.stack([value.abs().max() for value in weights.values()]))
