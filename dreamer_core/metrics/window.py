"""Means between two lines of metrics.jsonl, kept on the device until somebody asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Names = tuple[str, ...]


@dataclass
class _Sums:
    """What was always added together is summed together: three operations however many metrics there are."""

    values: Tensor  # (number of names,) float64
    count: int


class Window:
    """Never waits for the device in `add`; `take` and `state` wait once."""

    def __init__(self) -> None:
        self._sums: dict[Names, _Sums] = {}

    def add(self, metrics: Mapping[str, Tensor | float]) -> None:
        """Scalars only. What is NaN or infinite makes its mean so; what is not added is missing."""
        numbers = {name: value for name, value in metrics.items() if not isinstance(value, Tensor)}
        tensors = {name: value.detach() for name, value in metrics.items() if isinstance(value, Tensor)}
        if numbers:
            self._accumulate(tuple(numbers), torch.tensor(list(numbers.values()), dtype=torch.float64))
        for device in dict.fromkeys(value.device for value in tensors.values()):
            here = {name: value for name, value in tensors.items() if value.device == device}
            self._accumulate(tuple(here), torch.stack(list(here.values())).double())

    def take(self) -> dict[str, float]:
        """The means since the last call. Starts anew."""
        totals: dict[str, float] = {}
        counts: dict[str, int] = {}
        for names, sums, count in self._on_host():
            for name, value in zip(names, sums, strict=True):
                totals[name] = totals.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + count
        self._sums.clear()
        return {name: total / counts[name] for name, total in totals.items()}

    def state(self) -> list[dict[str, Any]]:
        """Plain JSON. A window that `restore`s it goes on bit for bit as this one would have."""
        return [{"names": list(names), "sums": sums, "count": count} for names, sums, count in self._on_host()]

    def restore(self, state: Iterable[Mapping[str, Any]]) -> None:
        self._sums = {
            tuple(entry["names"]): _Sums(
                torch.tensor([float(value) for value in entry["sums"]], dtype=torch.float64), entry["count"]
            )
            for entry in state
        }

    def _accumulate(self, names: Names, values: Tensor) -> None:
        sums = self._sums.get(names)
        if sums is None:
            self._sums[names] = _Sums(values, 1)
            return
        sums.values = sums.values.to(values.device) + values  # restored sums wait on the CPU until they are needed
        sums.count += 1

    def _on_host(self) -> list[tuple[Names, list[float], int]]:
        """One transfer per device."""
        found: dict[Names, list[float]] = {}
        for device in dict.fromkeys(sums.values.device for sums in self._sums.values()):
            here = {names: sums.values for names, sums in self._sums.items() if sums.values.device == device}
            flat = torch.cat(list(here.values())).tolist()
            for names in here:
                found[names], flat = flat[: len(names)], flat[len(names) :]
        return [(names, found[names], sums.count) for names, sums in self._sums.items()]
