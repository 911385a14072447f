"""A chain of layers by hand is what autograd makes of the same layers one by one."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.config.tree import Recipe
from dreamer_core.models.activation import Stage
from dreamer_core.models.chain import WatchedChain, run_chain
from dreamer_core.models.gather import OneHots, find_ones
from dreamer_core.models.layers import Style, head, mlp
from dreamer_core.rng import make_generator

EPS = 1e-3


def stages(recipe: Recipe, *, inputs: int, with_output: bool) -> list[Stage]:
    """Two layers with norms, and perhaps one without, in float64."""
    style = Style(recipe, EPS)
    net = head(style, inputs, 8, 2, 6, scale=1.0) if with_output else mlp(style, inputs, 8, 2)
    generator = make_generator(0)
    for parameter in net.double().parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    return net.stages()


def one_by_one(layers: list[Stage], x: Tensor) -> Tensor:
    for layer in layers:
        x = F.linear(x, layer.weight, layer.bias)
        if layer.gain is not None:
            size = [len(layer.gain)]
            norm = F.rms_norm(x, size, layer.gain, EPS) if layer.shift is None else None
            x = F.silu(F.layer_norm(x, size, layer.gain, layer.shift, EPS) if norm is None else norm)
    return x


def latents(classes: int) -> tuple[Tensor, Tensor]:
    """One-hots (5, 7, 3, C), and features that start with them."""
    generator = make_generator(1)
    stoch = F.one_hot(torch.randint(classes, (5, 7, 3), generator=generator), classes).double()
    rest = torch.randn((5, 7, 4), generator=generator, dtype=torch.float64)
    return stoch, torch.cat([stoch.flatten(-2), rest], -1)


def gradients(out: Tensor, of: list[Tensor]) -> list[Tensor]:
    upstream = torch.randn(out.shape, generator=make_generator(2), dtype=out.dtype)
    return list(torch.autograd.grad(out, of, upstream))


chains = pytest.mark.parametrize("recipe", ["nature", "sheeprl"])
outputs = pytest.mark.parametrize("with_output", [False, True])


@chains
@outputs
def test_values_and_gradients_are_those_of_autograd(recipe: Recipe, with_output: bool) -> None:
    layers = stages(recipe, inputs=16, with_output=with_output)
    x = latents(4)[1].requires_grad_()
    of = [x, *(p for layer in layers for p in layer[:4] if p is not None)]
    ours, theirs = run_chain(layers, x), one_by_one(layers, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients(ours, of), gradients(theirs, of), rtol=1e-10, atol=1e-12)


@chains
@outputs
@pytest.mark.parametrize("classes", [4, 20], ids=["gradient-by-product", "gradient-by-sorting"])
def test_picking_rows_is_multiplying_with_one_hots(recipe: Recipe, with_output: bool, classes: int) -> None:
    layers = stages(recipe, inputs=3 * classes + 4, with_output=with_output)
    stoch, x = latents(classes)
    of = [p for layer in layers for p in layer[:4] if p is not None]
    ours, theirs = run_chain(layers, x, find_ones(stoch)), one_by_one(layers, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients(ours, of), gradients(theirs, of), rtol=1e-10, atol=1e-12)


@chains
def test_without_gradients_the_values_are_the_same(recipe: Recipe) -> None:
    layers = stages(recipe, inputs=16, with_output=True)
    x = latents(4)[1]
    with torch.no_grad():
        quiet = run_chain(layers, x)
    assert not quiet.requires_grad
    assert torch.equal(quiet, run_chain(layers, x))


@chains
def test_a_watched_chain_gives_every_moment_and_the_gradients_of_all(recipe: Recipe) -> None:
    layers = stages(recipe, inputs=16, with_output=False)
    stoch, x = latents(4)
    ones = find_ones(stoch)
    of = [p for layer in layers for p in layer[:4] if p is not None]
    watch = WatchedChain(layers)
    moments = [watch.step(x[t], OneHots(ones.at[t], ones.width)) for t in range(5)]
    ours, theirs = watch.with_gradient(x[:4], ones.of(slice(4))), one_by_one(layers, x[:4])
    torch.testing.assert_close(torch.stack(moments[:4]), theirs.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(gradients(ours, of), gradients(theirs, of), rtol=1e-10, atol=1e-12)
