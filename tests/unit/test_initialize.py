"""Initial weights: their spread by recipe, the heads that start at zero, and nothing that depends on chance."""

import math

import pytest
import torch

from dreamer_core.config.tree import Recipe
from dreamer_core.models.initialize import initialize_nature, initialize_sheeprl
from dreamer_core.models.layers import (
    BlockLinear,
    Conv2d,
    ConvTranspose2d,
    LayerNorm,
    Linear,
    RMSNorm,
    parameter_count,
)
from dreamer_core.rng import make_generator
from tests.factories import PIXELS, RECIPES, VECTOR, output_layer, tiny_agent, weights_of


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_seed_builds_the_same_agent(recipe: Recipe) -> None:
    one, same, other = (tiny_agent(recipe, obs=VECTOR | PIXELS, seed=seed) for seed in (3, 3, 4))
    first, second = weights_of(one), weights_of(same)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(value, weights_of(other)[name]) for name, value in first.items())
    assert all(torch.isfinite(value).all() for value in first.values())


@pytest.mark.parametrize("recipe", RECIPES)
def test_reward_and_value_start_at_zero_and_so_does_the_slow_critic(recipe: Recipe) -> None:
    agent = tiny_agent(recipe)
    for head in (agent.world_model.reward_head, agent.critic.net, agent.slow_critic.net):
        assert output_layer(head).weight.abs().sum() == output_layer(head).bias.abs().sum() == 0
    fast = weights_of(agent.critic)
    assert all(torch.equal(value, fast[name]) for name, value in weights_of(agent.slow_critic).items())


def test_nature_draws_by_fan_in_cut_off_at_two_deviations() -> None:
    layer = Linear(400, 300)
    initialize_nature(layer, make_generator(0))
    assert layer.weight.std().item() == pytest.approx(1 / math.sqrt(400), rel=0.01)
    assert layer.weight.abs().max().item() == pytest.approx(2 / 0.87962566 / math.sqrt(400), rel=0.01)
    assert layer.bias.abs().sum() == 0


def test_nature_scales_its_output_layers() -> None:
    small, zero = Linear(400, 300, scale=0.01), Linear(4, 3, scale=0.0)
    initialize_nature(small, make_generator(0))
    initialize_nature(zero, make_generator(0))
    assert small.weight.std().item() == pytest.approx(0.01 / math.sqrt(400), rel=0.01)
    assert zero.weight.abs().sum() == 0


def test_nature_counts_the_whole_input_of_a_block_layer() -> None:
    layer = BlockLinear(400, 300, 4)
    initialize_nature(layer, make_generator(0))
    assert layer.weight.std().item() == pytest.approx(1 / math.sqrt(400), rel=0.02)


def test_sheeprl_draws_by_the_mean_fan() -> None:
    linear, conv = Linear(400, 200), Conv2d(16, 32, 4)
    initialize_sheeprl(linear, make_generator(0), hafner=True)
    initialize_sheeprl(conv, make_generator(0), hafner=True)
    assert linear.weight.std().item() == pytest.approx(1 / math.sqrt(300), rel=0.01)
    # Convolutions are not cut off, so they spread wider than was meant, as in the reference.
    assert conv.weight.std().item() == pytest.approx(1 / math.sqrt(16 * 24) / 0.87962566, rel=0.02)
    transposed = ConvTranspose2d(32, 16, 4)
    initialize_sheeprl(transposed, make_generator(0), hafner=True)
    assert transposed.weight.std().item() == pytest.approx(1 / math.sqrt(16 * 24) / 0.87962566, rel=0.02)


def test_sheeprl_draws_its_output_layers_evenly_unless_hafner_is_off() -> None:
    head = Linear(400, 200, scale=1.0)
    initialize_sheeprl(head, make_generator(0), hafner=True)
    limit = math.sqrt(3 / 300)
    assert 0.99 * limit < head.weight.abs().max() <= limit
    assert head.weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.01)
    initialize_sheeprl(head, make_generator(0), hafner=False)
    assert head.weight.abs().max() > 1.2 * limit
    zero = Linear(4, 3, scale=0.0)
    initialize_sheeprl(zero, make_generator(0), hafner=True)
    assert zero.weight.abs().sum() == 0


def test_a_block_layer_is_a_block_diagonal_matrix() -> None:
    layer = BlockLinear(6, 4, 2)
    initialize_nature(layer, make_generator(0))
    matrix = torch.zeros(6, 4)
    matrix[:3, :2], matrix[3:, 2:] = layer.weight.detach()
    x = torch.randn((3, 6), generator=make_generator(1))
    torch.testing.assert_close(layer(x), x @ matrix)
    torch.testing.assert_close(layer(x.unflatten(-1, (2, 3))), x @ matrix)
    assert parameter_count(layer) == 2 * 3 * 2 + 4


def test_norms_are_taken_in_float32() -> None:
    x = (3 * torch.randn((2, 500), generator=make_generator(0))).bfloat16()
    for norm in (RMSNorm(500, eps=1e-4), LayerNorm(500, eps=1e-4)):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(norm(x), norm(x.float()))
        assert norm(x).dtype == torch.float32
