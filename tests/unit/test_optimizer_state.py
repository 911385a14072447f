"""An optimizer that was saved and restored steps on exactly as the one that was not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from dreamer_core.config.model import LaPropConfig
from dreamer_core.training.checkpoint import flatten_optimizer, load, save, unflatten_optimizer
from dreamer_core.training.optim import LaProp
from tests.unit.checkpoints import a_snapshot, same_bits

Build = Callable[[list[nn.Parameter]], Optimizer]


def build_adam(parameters: list[nn.Parameter]) -> Optimizer:
    return Adam(parameters, lr=1e-2, eps=1e-5, betas=(0.9, 0.99), fused=True)


def build_laprop(parameters: list[nn.Parameter]) -> Optimizer:
    groups = [{"params": [parameters[0]]}, {"params": parameters[1:]}]
    return LaProp(groups, LaPropConfig(warmup=10))


def fresh_parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((4, 3), (3,), (5,), (2,))]


def train(parameters: list[nn.Parameter], optimizer: Optimizer, steps: range) -> None:
    """The last parameter never has a gradient, as a frozen one."""
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        for parameter in parameters[:-1]:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


def through_a_file(optimizer: Optimizer, folder: Path) -> tuple[dict[str, Tensor], dict[str, object]]:
    tensors, state = flatten_optimizer(optimizer.state_dict())
    snapshot = replace(a_snapshot(1), tensors={"optimizers": tensors}, state={"optimizers": state})
    loaded = load(save(folder, snapshot, keep=1))
    return loaded.tensors["optimizers"], loaded.state["optimizers"]


@pytest.mark.parametrize("build", [build_adam, build_laprop])
def test_training_goes_on_bit_for_bit(build: Build, tmp_path: Path) -> None:
    straight = fresh_parameters()
    train(straight, build(straight), range(6))
    stopped = fresh_parameters()
    optimizer = build(stopped)
    train(stopped, optimizer, range(3))
    optimizer.param_groups[0]["lr"] = 0.5  # schedules change it; it is set again before each step of a real run
    resumed = [nn.Parameter(parameter.detach().clone()) for parameter in stopped]
    restored = build(resumed)
    restored.load_state_dict(unflatten_optimizer(*through_a_file(optimizer, tmp_path)))
    assert restored.param_groups[0]["lr"] == 0.5
    restored.param_groups[0]["lr"] = build(fresh_parameters()).param_groups[0]["lr"]
    train(resumed, restored, range(3, 6))
    assert all(same_bits(left, right) for left, right in zip(straight, resumed, strict=True))


@pytest.mark.parametrize(("build", "step_dtype"), [(build_adam, torch.float32), (build_laprop, torch.int64)])
def test_the_state_is_the_same_in_every_type_and_bit(build: Build, step_dtype: torch.dtype, tmp_path: Path) -> None:
    parameters = fresh_parameters()
    optimizer = build(parameters)
    train(parameters, optimizer, range(3))
    before, after = optimizer.state_dict(), unflatten_optimizer(*through_a_file(optimizer, tmp_path))
    assert after["param_groups"] == before["param_groups"]
    assert after["state"].keys() == before["state"].keys() == {0, 1, 2}
    for index, entries in before["state"].items():
        assert entries.keys() == after["state"][index].keys()
        assert all(same_bits(value, after["state"][index][name]) for name, value in entries.items())
    assert after["state"][0]["step"].dtype == step_dtype
    assert after["state"][0]["step"].item() == 3


def test_an_optimizer_that_never_stepped_can_be_saved(tmp_path: Path) -> None:
    optimizer = build_adam(fresh_parameters())
    assert unflatten_optimizer(*through_a_file(optimizer, tmp_path)) == optimizer.state_dict()
    assert type(optimizer.state_dict()["param_groups"][0]["betas"]) is tuple


def test_settings_that_are_tensors_are_refused() -> None:
    optimizer = Adam(fresh_parameters(), lr=torch.tensor(1e-3))
    with pytest.raises(TypeError, match="settings are tensors cannot be saved"):
        flatten_optimizer(optimizer.state_dict())
