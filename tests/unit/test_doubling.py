"""The convolution that doubles: the same as repeating every pixel and convolving what comes out."""

import pytest
import torch
import torch.nn.functional as F

from dreamer_core.models.doubling import DoublingConv2d, tap_shares
from dreamer_core.models.layers import by_pixel
from dreamer_core.rng import make_generator, randn

kernels = pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6, 7])


def filled(kernel: int) -> DoublingConv2d:
    layer, generator = DoublingConv2d(3, 2, kernel).double(), make_generator(kernel)
    for parameter in layer.parameters():
        parameter.data = randn(parameter.shape, generator).double()
    return layer


@kernels
def test_it_is_nearest_neighbour_and_a_convolution_that_keeps_the_size(kernel: int) -> None:
    layer, images = filled(kernel), by_pixel(randn((2, 3, 4, 6), make_generator(0)).double())
    assert layer.bias is not None
    doubled = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    # torch would pad by itself, but with a warning where the kernel is even
    before, after = (kernel - 1) // 2, kernel // 2
    expected = F.conv2d(F.pad(doubled, (before, after, before, after)), layer.weight, layer.bias)
    torch.testing.assert_close(layer(images), expected)


@kernels
def test_its_gradients_are_those_of_what_it_computes(kernel: int) -> None:
    layer = filled(kernel)
    images = randn((1, 3, 2, 3), make_generator(1)).double().requires_grad_()
    assert layer.bias is not None

    def run(x: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        named = dict(zip(("weight", "bias"), parameters, strict=True))
        out: torch.Tensor = torch.func.functional_call(layer, named, (x,))
        return out

    assert torch.autograd.gradcheck(run, (images, layer.weight, layer.bias))


def test_a_kernel_of_five_becomes_four_of_three() -> None:
    assert tap_shares(5).tolist() == [
        [[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]],
        [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]],
    ]


def test_what_comes_out_lies_pixel_by_pixel() -> None:
    """So that the next convolution need not copy it."""
    out = filled(5)(by_pixel(randn((2, 3, 4, 4), make_generator(0)).double()))
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_checkpoints_name_its_weight_and_its_bias_and_nothing_else() -> None:
    assert set(filled(5).state_dict()) == {"weight", "bias"}


def test_under_autocast_its_kernels_are_added_up_before_they_are_rounded() -> None:
    layer = DoublingConv2d(1, 1, 5)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, 2, 2:4] = torch.tensor([1 + 2**-9, -1.0])  # bfloat16 rounds the first to 1
        layer.bias.zero_()  # type: ignore[union-attr]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(torch.ones(1, 1, 1, 1))
    assert out.dtype == torch.bfloat16
    assert out[0, 0, 0, 0].item() == 2**-9
