"""Holds our code against a fixture: every tensor that the fixture has is compared, or the comparison fails."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tests.golden.fixtures import Fixture
from tests.golden.tolerances import GRADIENTS, VALUES, Tolerance, assert_near, assert_near_gradient, assert_near_step
from tests.golden.translate import load_in_order


def take_inputs(golden: Fixture) -> dict[str, Tensor]:
    """Copies of the inputs; those whose gradient the fixture knows ask for theirs."""
    return {name: value.clone().requires_grad_(f"in.{name}" in golden.grads) for name, value in golden.inputs.items()}


def load_weights(golden: Fixture, module: nn.Module, part: str = "") -> None:
    """The fixture's weights (those of one part of an agent), in the order of registration."""
    load_in_order(module, [golden.params[name] for name in _names(golden, part)])


def weights_of(golden: Fixture, module: nn.Module, part: str = "") -> dict[str, Tensor]:
    """Our weights by the reference's names."""
    return dict(zip(_names(golden, part), module.parameters(), strict=True))


def check_outputs(
    golden: Fixture, found: Mapping[str, Tensor], tolerance: Tolerance = VALUES, **special: Tolerance
) -> None:
    """`special` are the outputs with a tolerance of their own."""
    assert sorted(found) == sorted(golden.outputs)
    for name, expected in golden.outputs.items():
        assert_near(f"{golden.name}: {name}", found[name], expected, special.get(name, tolerance))


def check_gradients(
    golden: Fixture,
    weights: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    tolerance: Tolerance = GRADIENTS,
) -> None:
    """What a backward pass has left on weights and inputs; none where the fixture has none."""
    leaves = {**weights, **{f"in.{name}": value for name, value in inputs.items() if value.requires_grad}}
    assert sorted(golden.grads.keys() - leaves.keys()) == []
    for name, leaf in leaves.items():
        nothing = torch.zeros_like(leaf)
        found = nothing if leaf.grad is None else leaf.grad
        assert_near_gradient(f"{golden.name}: {name}", found, golden.grads.get(name, nothing), tolerance)


def check_after(golden: Fixture, weights: Mapping[str, Tensor], lrs: Mapping[str, float]) -> None:
    """Weights after optimizer steps; `lrs` has the sum of the learning rates of each part."""
    for name, weight in weights.items():
        gradient = golden.grads.get(name, torch.zeros_like(weight))
        lr = lrs[name.partition(".")[0]]
        assert_near_step(f"{golden.name}: {name}", weight.detach(), golden.after[name], gradient, lr)


def check_module(
    golden: Fixture,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Mapping[str, Tensor],
    tolerance: Tolerance = VALUES,
    gradients: Tolerance = GRADIENTS,
) -> None:
    """Outputs, and the gradients of half the sum of squares of those that the fixture names."""
    check_outputs(golden, outputs, tolerance)
    torch.stack([0.5 * outputs[name].square().sum() for name in golden.settings["grad_of"]]).sum().backward()
    check_gradients(golden, weights_of(golden, module), inputs, gradients)


def _names(golden: Fixture, part: str) -> list[str]:
    return [name for name in golden.params if name.startswith(f"{part}." if part else "")]
