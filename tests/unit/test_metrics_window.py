"""Means between two records: exact, on the device, and the same after a checkpoint in between."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from dreamer_core.metrics.jsonsafe import dumps, loads, loads_numbers
from dreamer_core.metrics.window import Window


def scalars(**values: float) -> dict[str, Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def test_it_gives_means_and_starts_anew() -> None:
    window = Window()
    window.add(scalars(loss=1.0, kl=4.0))
    window.add(scalars(loss=2.0, kl=4.0))
    assert window.take() == {"loss": 1.5, "kl": 4.0}
    window.add(scalars(loss=10.0))
    assert window.take() == {"loss": 10.0}
    assert window.take() == {}


def test_each_key_is_divided_by_how_often_it_came() -> None:
    window = Window()
    window.add(scalars(loss=1.0))
    window.add(scalars(loss=2.0, policy=7.0))
    window.add(scalars(policy=8.0, loss=6.0))
    assert window.take() == {"loss": 3.0, "policy": 7.5}


def test_what_never_came_is_missing_and_what_is_not_finite_stays_so() -> None:
    window = Window()
    window.add(scalars(bad=math.nan, huge=math.inf, fine=1.0))
    window.add(scalars(bad=1.0, huge=1.0, fine=1.0))
    means = window.take()
    assert math.isnan(means["bad"])
    assert means["huge"] == math.inf
    assert means["fine"] == 1.0
    assert "policy" not in means


def test_small_numbers_are_not_lost_beside_large_ones() -> None:
    window = Window()
    for value in (1e8, 1.0, 1.0, 1.0):  # in float32, 1e8 + 1 is 1e8
        window.add(scalars(loss=value))
    assert window.take() == {"loss": 25_000_000.75}


def test_numbers_and_tensors_of_any_kind_may_be_mixed() -> None:
    window = Window()
    window.add({"half": torch.tensor(0.5, dtype=torch.bfloat16), "count": torch.tensor(3), "plain": 2.5, "whole": 4})
    window.add({"half": 1.5})
    assert window.take() == {"half": 1.0, "count": 3.0, "plain": 2.5, "whole": 4.0}


def test_the_caller_may_reuse_its_tensors() -> None:
    window, loss = Window(), torch.tensor(1.0)
    window.add({"loss": loss})
    loss.fill_(100.0)
    assert window.take() == {"loss": 1.0}


def test_gradients_are_not_kept() -> None:
    window = Window()
    window.add({"loss": torch.tensor(2.0, requires_grad=True) * 3})
    assert window.take() == {"loss": 6.0}


def test_adding_never_reads_a_value() -> None:
    window = Window()
    for _ in range(2):
        window.add({"loss": torch.tensor(1.0, device="meta"), "kl": torch.tensor(2.0, device="meta")})
    with pytest.raises(NotImplementedError):  # tensors of this device have no values to read
        window.take()


def updates(count: int) -> list[Mapping[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(3, generator=generator) * 1e3 for _ in range(count)]
    return [
        {"loss": row[0], "kl": row[1], **({"policy": row[2]} if index % 3 else {})} for index, row in enumerate(drawn)
    ]


@pytest.mark.parametrize("cut", [0, 1, 10, 50])
def test_a_restored_window_goes_on_bit_for_bit(cut: int) -> None:
    straight, first, second = Window(), Window(), Window()
    for metrics in updates(50):
        straight.add(metrics)
    for metrics in updates(50)[:cut]:
        first.add(metrics)
    second.restore(loads(dumps(first.state())))
    for metrics in updates(50)[cut:]:
        second.add(metrics)
    assert second.take() == straight.take()


def test_saving_a_window_does_not_disturb_it() -> None:
    window = Window()
    window.add(scalars(loss=0.1))
    window.state()
    window.add(scalars(loss=0.3))
    assert window.take() == {"loss": (torch.tensor(0.1).double() + torch.tensor(0.3).double()).item() / 2}


@pytest.mark.parametrize("read", [loads, loads_numbers])
def test_sums_that_are_not_finite_survive_json(read: Callable[[str], Any]) -> None:
    saved, restored = Window(), Window()
    saved.add(scalars(bad=math.nan, high=math.inf, low=-math.inf))
    restored.restore(read(dumps(saved.state())))
    means = restored.take()
    assert math.isnan(means["bad"])
    assert (means["high"], means["low"]) == (math.inf, -math.inf)
