"""How close is equal. Measured in float32 between two ways to write the same mathematics: rounding passes, other
mathematics does not."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Tolerance(NamedTuple):
    rtol: float
    atol: float


EXACT = Tolerance(0.0, 0.0)
VALUES = Tolerance(1e-5, 1e-6)
# A pixel is a sum over four transposed convolutions: one of 12,288, of value 0.007, was 1.2e-6 off on one kind of CPU.
PIXELS = Tolerance(1e-5, 5e-6)
LOSSES = Tolerance(1e-5, 1e-6)
# Two bins are read where the reference sums over all of them: 4e-5 was measured on losses of single rows.
TWO_HOT_LOSSES = Tolerance(1e-5, 1e-4)
# The absolute part is for each unit of the largest gradient in the tensor: see `assert_near_gradient`.
GRADIENTS = Tolerance(1e-4, 1e-6)
# Through the transposed convolutions of the `sheeprl` decoder gradients of 3,000 cancel down to 10: against a run in
# float64 ours and the reference's are both off by 2e-5 of the largest gradient.
PIXEL_GRADIENTS = Tolerance(1e-4, 2e-5)
# An error of one step goes into the next one.
UNROLLS = Tolerance(1e-4, 1e-6)
# Beliefs are stored in half precision: the last of its bits may round the other way.
HALF = Tolerance(1e-3, 1e-6)

# An optimizer divides a gradient by its own size. Where the gradient is rounding error only, its sign is luck, and the
# weight may move by a whole learning rate either way.
LEARNING_RATES_OF_LUCK = 2.0
# Where it is not luck, weights after a step agree to this share of the learning rate...
LEARNING_RATES_OF_ROUNDING = 0.02
# ...and it is not luck where a gradient is more than this share of the largest one in its tensor.
CLEAR_GRADIENT = 1e-4


# Who wants to know of every comparison: `--parity` writes them down.
WATCHERS: list[Callable[[str, Tensor, Tensor, Tolerance], None]] = []


def assert_near(name: str, found: Tensor, expected: Tensor, tolerance: Tolerance = VALUES) -> None:
    """Reshapes what was found: the reference keeps a last dimension of 1, and flattens variables and classes."""
    assert found.numel() == expected.numel(), f"{name}: {tuple(found.shape)} cannot be {tuple(expected.shape)}"
    ours = found.detach().reshape(expected.shape).to(expected.dtype)
    for watch in WATCHERS:
        watch(name, ours, expected, tolerance)
    torch.testing.assert_close(
        ours,
        expected,
        rtol=tolerance.rtol,
        atol=tolerance.atol,
        msg=lambda problem: f"{name}: {problem}",
    )


def assert_near_gradient(name: str, found: Tensor, expected: Tensor, tolerance: Tolerance = GRADIENTS) -> None:
    """A small gradient next to a large one is the difference of large numbers, and has their rounding error: so the
    absolute tolerance grows with the largest gradient of the tensor."""
    largest = max(1.0, float(expected.abs().max()))
    assert_near(f"gradient of {name}", found, expected, Tolerance(tolerance.rtol, tolerance.atol * largest))


def assert_near_step(name: str, found: Tensor, expected: Tensor, gradient: Tensor, lr: float) -> None:
    """Weights after optimizer steps of `lr` in all."""
    assert_near(f"{name} after", found, expected, Tolerance(0.0, LEARNING_RATES_OF_LUCK * lr))
    is_clear = gradient.abs() > CLEAR_GRADIENT * gradient.abs().max()
    close = Tolerance(1e-6, LEARNING_RATES_OF_ROUNDING * lr)
    assert_near(f"{name} after, where its gradient is clear", found[is_clear], expected[is_clear], close)
