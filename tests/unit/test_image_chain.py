"""The chain of convolutions by hand: what `nn.Sequential` of the same parts computes, and its gradients."""

import pytest
import torch
from torch import Tensor, nn

from dreamer_core.config.tree import Recipe
from dreamer_core.models.image_chain import ImageChain
from dreamer_core.models.layers import ChannelNorm, Conv2d, Style, by_pixel
from dreamer_core.rng import make_generator, randn
from tests.factories import RECIPES

recipes = pytest.mark.parametrize("recipe", RECIPES)


def made(recipe: Recipe) -> ImageChain:
    """Convolution, norm, SiLU, convolution, with numbers everywhere that are neither 0 nor 1."""
    norm = ChannelNorm(Style(recipe, 1e-3).norm(4))
    chain = ImageChain(Conv2d(3, 4, 3, padding=1), norm, nn.SiLU(), Conv2d(4, 2, 3, stride=2))
    generator = make_generator(0)
    for parameter in chain.parameters():
        parameter.data = randn(parameter.shape, generator)
    return chain


def images() -> Tensor:
    return by_pixel(randn((2, 3, 6, 4), make_generator(1)))


@recipes
def test_with_and_without_a_gradient_it_is_its_parts_one_after_the_other(recipe: Recipe) -> None:
    chain, x = made(recipe), images()
    expected = nn.Sequential(*chain)(x)
    torch.testing.assert_close(chain(x), expected)
    with torch.no_grad():
        torch.testing.assert_close(chain(x), expected)


@recipes
def test_its_gradients_are_those_of_its_parts(recipe: Recipe) -> None:
    chain, x = made(recipe), images().requires_grad_()
    leaves = [x, *chain.parameters()]
    expected = torch.autograd.grad(nn.Sequential(*chain)(x).square().sum(), leaves)
    torch.testing.assert_close(torch.autograd.grad(chain(x).square().sum(), leaves), expected)


@recipes
def test_it_does_not_change_what_it_is_given(recipe: Recipe) -> None:
    norm_first, x = ImageChain(*list(made(recipe))[1:]), by_pixel(randn((2, 4, 3, 3), make_generator(2)))
    before = x.clone()
    with torch.no_grad():
        norm_first(x)
    norm_first(x)
    assert torch.equal(x, before)


@recipes
def test_a_convolution_behind_a_norm_meets_images_laid_out_pixel_by_pixel(recipe: Recipe) -> None:
    chain, met = made(recipe), list[bool]()
    chain[3].register_forward_pre_hook(lambda _, x: met.append(x[0].is_contiguous(memory_format=torch.channels_last)))
    chain(images())
    with torch.no_grad():
        chain(images())
    assert met == [True, True]
