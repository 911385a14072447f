"""Fresh weights of the `nature` recipe are spread as sheeprl 0.8.4 spreads them."""

from torch import nn

from dreamer_core.models.initialize import initialize_nature
from dreamer_core.models.layers import BlockLinear, Conv2d, Linear
from dreamer_core.rng import make_generator
from tests.golden.fixtures import load
from tests.golden.fresh import assert_bounded, check_agent, check_layers, fresh_agent


def test_layers_are_cut_off_normals_of_their_fan_in() -> None:
    golden = load("nature_init")
    layers: dict[str, nn.Module] = {
        "linear": Linear(512, 256),
        "conv": Conv2d(16, 64, 5),
        "block_linear": BlockLinear(512, 512, 8),
        "policy_head": Linear(512, 256, scale=0.01),
        "zero_head": Linear(512, 255, scale=0.0),
    }
    initialize_nature(nn.ModuleDict(layers), make_generator(0))
    check_layers(golden, layers)
    for layer, bound in zip(layers.values(), golden.settings["bound"], strict=True):
        assert_bounded(next(layer.parameters()).detach(), bound)


def test_a_fresh_agent_has_the_same_zeros_ones_and_sizes() -> None:
    check_agent(load("nature_init_agent"), fresh_agent(load("nature_train_pixels")))
