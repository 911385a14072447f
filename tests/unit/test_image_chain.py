"""The chain of convolutions by hand: what `nn.Sequential` of the same parts computes, and its gradients."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from dreamer_core.config.tree import Recipe
from dreamer_core.models.image_chain import ImageChain
from dreamer_core.models.layers import ChannelNorm, Conv2d, Style, by_pixel
from dreamer_core.rng import make_generator, randn
from tests.factories import RECIPES

Layout = Callable[[Tensor], Tensor]
recipes = pytest.mark.parametrize("recipe", RECIPES)
layouts = pytest.mark.parametrize("layout", [by_pixel, Tensor.contiguous], ids=["by pixel", "plane by plane"])


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64, also where float32 is asked for."""
    monkeypatch.setattr(Tensor, "float", Tensor.double)


def made(recipe: Recipe) -> ImageChain:
    """Norm, SiLU, convolution, norm, SiLU, convolution, with numbers everywhere that are neither 0 nor 1."""
    norms = [ChannelNorm(Style(recipe, 1e-3).norm(size)) for size in (3, 4)]
    first = norms[0], nn.SiLU(), Conv2d(3, 4, 3, padding=1)
    chain, generator = ImageChain(*first, norms[1], nn.SiLU(), Conv2d(4, 2, 3, stride=2)).double(), make_generator(0)
    for parameter in chain.parameters():
        parameter.data = randn(parameter.shape, generator).double()
    return chain


def images(layout: Layout = by_pixel) -> Tensor:
    return layout(randn((2, 3, 6, 4), make_generator(1)).double())


@recipes
@layouts
def test_with_and_without_a_gradient_it_is_its_parts_one_after_the_other(recipe: Recipe, layout: Layout) -> None:
    chain, x = made(recipe), images(layout)
    expected = nn.Sequential(*chain)(x)
    torch.testing.assert_close(chain(x), expected, rtol=1e-12, atol=1e-12)
    with torch.no_grad():
        torch.testing.assert_close(chain(x), expected, rtol=1e-12, atol=1e-12)


@recipes
@layouts
def test_its_gradients_are_those_of_its_parts(recipe: Recipe, layout: Layout) -> None:
    chain, x = made(recipe), images(layout).requires_grad_()
    leaves = [x, *chain.parameters()]
    expected = torch.autograd.grad(nn.Sequential(*chain)(x).square().sum(), leaves)
    torch.testing.assert_close(torch.autograd.grad(chain(x).square().sum(), leaves), expected, rtol=1e-10, atol=1e-10)


@recipes
def test_it_changes_neither_what_it_is_given_nor_that_weights_are_frozen(recipe: Recipe) -> None:
    chain, x = made(recipe).requires_grad_(requires_grad=False), images()
    before = x.clone()
    assert not chain(x).requires_grad
    with torch.no_grad():
        chain(x)
    assert torch.equal(x, before)


@recipes
def test_only_under_autocast_it_goes_through_its_parts(recipe: Recipe) -> None:
    """On a GPU too, which is not here to show it."""
    chain, called = made(recipe).float(), list[str]()
    for part in (chain[0], chain[1]):
        part.register_forward_hook(lambda module, *_: called.append(type(module).__name__))
    chain(images())
    assert called == []
    with torch.autocast("cpu", dtype=torch.bfloat16):
        chain(images())
    assert called == ["ChannelNorm", "SiLU"]


def test_a_norm_without_its_silu_is_noticed() -> None:
    alone = ImageChain(ChannelNorm(Style("nature", 1e-3).norm(3))).double()
    with pytest.raises(AssertionError):
        alone(images())


@recipes
@layouts
def test_a_convolution_behind_a_norm_meets_images_laid_out_pixel_by_pixel(recipe: Recipe, layout: Layout) -> None:
    chain, met = made(recipe), list[bool]()
    for conv in (chain[2], chain[5]):
        conv.register_forward_pre_hook(lambda _, x: met.append(x[0].is_contiguous(memory_format=torch.channels_last)))
    chain(images(layout))
    with torch.no_grad():
        chain(images(layout))
    assert met == [True] * 4
