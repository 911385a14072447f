"""The convolution that doubles: the same as repeating every pixel and convolving what comes out."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.doubling import DoublingConv2d
from dreamer_core.models.layers import by_pixel
from dreamer_core.rng import make_generator, randn

kernels = pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6, 7, 9])
outputs = pytest.mark.parametrize("outputs", [1, 2])


def filled(kernel: int, outputs: int = 2) -> DoublingConv2d:
    layer, generator = DoublingConv2d(3, outputs, kernel).double(), make_generator(kernel)
    for parameter in layer.parameters():
        parameter.data = randn(parameter.shape, generator).double()
    return layer


def images(*shape: int) -> Tensor:
    return randn(shape, make_generator(0)).double()


@kernels
@outputs
def test_it_is_nearest_neighbour_and_a_convolution_that_keeps_the_size(kernel: int, outputs: int) -> None:
    layer, small = filled(kernel, outputs), images(2, 3, 4, 6)
    assert layer.bias is not None
    doubled = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    # torch would pad by itself, but with a warning where the kernel is even
    before, after = (kernel - 1) // 2, kernel // 2
    expected = F.conv2d(F.pad(doubled, (before, after, before, after)), layer.weight, layer.bias)
    torch.testing.assert_close(layer(small), expected)
    torch.testing.assert_close(layer(by_pixel(small)), expected)


@kernels
def test_its_gradients_are_those_of_what_it_computes(kernel: int) -> None:
    layer = filled(kernel)
    assert layer.bias is not None

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        named = dict(zip(("weight", "bias"), parameters, strict=True))
        out: Tensor = torch.func.functional_call(layer, named, (x,))
        return out

    assert torch.autograd.gradcheck(run, (images(1, 3, 2, 3).requires_grad_(), layer.weight, layer.bias))


def test_of_a_kernel_of_five_each_small_one_adds_up_pairs_of_taps() -> None:
    layer = DoublingConv2d(1, 1, 5)
    taps = torch.tensor([1.0, 10, 100, 1_000, 10_000])
    layer.weight.data = torch.outer(taps, taps)[None, None]
    even, odd = torch.tensor([11.0, 1_100, 10_000]), torch.tensor([1.0, 110, 11_000])
    assert torch.equal(layer.small_kernel(0, 0)[0, 0], torch.outer(even, even))
    assert torch.equal(layer.small_kernel(0, 1)[0, 0], torch.outer(even, odd))
    assert torch.equal(layer.small_kernel(1, 0)[0, 0], torch.outer(odd, even))


@outputs
def test_what_comes_out_lies_pixel_by_pixel(outputs: int) -> None:
    """So that the next convolution need not copy it."""
    out = filled(5, outputs)(by_pixel(images(2, 3, 4, 4)))
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_checkpoints_name_its_weight_and_its_bias_and_nothing_else() -> None:
    assert set(filled(5).state_dict()) == {"weight", "bias"}


def test_under_autocast_its_kernels_are_added_up_before_they_are_rounded() -> None:
    layer = DoublingConv2d(1, 1, 5)
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, 2, 2:4] = torch.tensor([1 + 2**-9, -1.0])  # bfloat16 rounds the first to 1
        layer.bias.zero_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(torch.ones(1, 1, 1, 1))
    assert out.dtype == torch.bfloat16
    assert out[0, 0, 0, 0].item() == 2**-9
