"""Fresh weights of the `sheeprl` recipe are spread as 33b6366 spreads them."""

from torch import nn

from dreamer_core.models.initialize import initialize_sheeprl
from dreamer_core.models.layers import Conv2d, ConvTranspose2d, Linear
from dreamer_core.rng import make_generator
from tests.golden.fixtures import load
from tests.golden.fresh import assert_bounded, check_agent, check_layers, fresh_agent


def test_layers_are_normals_of_their_mean_fan_and_output_layers_uniform() -> None:
    golden = load("sheeprl_init")
    layers: dict[str, nn.Module] = {
        "linear": Linear(512, 256),
        "conv": Conv2d(16, 64, 4),
        "conv_transposed": ConvTranspose2d(64, 16, 4),
        "uniform_linear": Linear(512, 256, scale=1.0),
    }
    initialize_sheeprl(nn.ModuleDict(layers), make_generator(0), hafner=True)
    check_layers(golden, layers)
    linear, conv, conv_transposed = golden.settings["std"]
    weights = {name: next(layer.parameters()).detach() for name, layer in layers.items()}
    assert_bounded(weights["linear"], 2 * linear)
    assert_bounded(weights["uniform_linear"], golden.settings["uniform_bound"])
    # Convolutions are cut off at 2, which is 45 deviations.
    assert weights["conv"].abs().max() > 3 * conv
    assert weights["conv_transposed"].abs().max() > 3 * conv_transposed


def test_a_fresh_agent_has_the_same_zeros_ones_and_sizes() -> None:
    check_agent(load("sheeprl_init_agent"), fresh_agent(load("sheeprl_train_pixels")))
