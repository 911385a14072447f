"""Fresh weights held against the reference's: drawn from other random numbers, so only their statistics can agree."""

from torch import Tensor, nn

from dreamer_core.models.agent import Agent, build_agent
from dreamer_core.rng import make_generator
from tests.golden.agents import modules_of, spaces_of
from tests.golden.fixtures import Fixture
from tests.golden.translate import config_from

LEARNED = ("world_model", "actor", "critic")
# With 10,000 weights and more a standard deviation is known to 1 %, and the largest comes that close to the bound.
SPREAD = 0.03
# The largest of a few hundred weights, drawn twice: over six seeds they differed by 25 % at most.
LARGEST = 0.35
ENOUGH = 100


def fresh_agent(trained: Fixture, seed: int = 0) -> Agent:
    """Built as every command builds one, with the configuration of a fixture of a train step."""
    recipe = "nature" if trained.name.startswith("nature") else "sheeprl"
    return build_agent(config_from(trained.settings, recipe), spaces_of(trained), make_generator(seed))


def check_layers(golden: Fixture, layers: dict[str, nn.Module]) -> None:
    """Each kind of layer is as spread out as the reference's."""
    assert list(layers) == golden.settings["layers"]
    for index, (name, layer) in enumerate(layers.items()):
        weight = next(layer.parameters()).detach()
        expected = float(golden.outputs["std"][index])
        assert abs(float(weight.std()) - expected) <= SPREAD * expected, f"{name}: std {weight.std()}, not {expected}"


def assert_bounded(weight: Tensor, bound: float) -> None:
    """Fills the range up to `bound` and does not leave it."""
    largest = float(weight.abs().max())
    assert (1 - SPREAD) * bound <= largest <= bound * (1 + 1e-6), (largest, bound)


def check_agent(golden: Fixture, agent: Agent) -> None:
    """The same weights are all zero, the same all one, and the others are about as large."""
    modules = modules_of(agent)
    ours = [weight.detach() for part in LEARNED for weight in modules[part].parameters()]
    names = golden.settings["names"]
    assert [list(weight.shape) for weight in ours] == golden.settings["shapes"]
    weights = dict(zip(names, ours, strict=True))
    assert [name for name, weight in weights.items() if not weight.any()] == golden.settings["zero"]
    assert [name for name, weight in weights.items() if bool((weight == 1).all())] == golden.settings["one"]
    for (name, weight), expected in zip(weights.items(), golden.outputs["largest"].tolist(), strict=True):
        if weight.numel() >= ENOUGH:
            largest = float(weight.abs().max())
            assert abs(largest - expected) <= LARGEST * expected, f"{name}: {largest}, not {expected}"
