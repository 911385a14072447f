"""What the unit tests are made of: small configs, spaces, agents and random batches, all from explicit generators."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dreamer_core.config import Config, load_config
from dreamer_core.config.tree import Recipe
from dreamer_core.models.agent import Agent, build_agent
from dreamer_core.models.layers import Linear
from dreamer_core.rng import make_generator
from dreamer_core.schema import OBS_PACKED2_SHAPE
from dreamer_core.training.collective import Collective
from dreamer_core.training.learner import Learner
from dreamer_core.training.learner_nature import NatureLearner
from dreamer_core.training.learner_sheeprl import SheeprlLearner
from dreamer_core.types import NO_ACTION, ActionSpec, Batch, ObsSpec, Rows, Spaces, State

RECIPES: tuple[Recipe, ...] = ("nature", "sheeprl")

DISCRETE = ActionSpec(kind="discrete", sizes=(3,))
MULTI_DISCRETE = ActionSpec(kind="multi_discrete", sizes=(3, 2))
CONTINUOUS = ActionSpec(kind="continuous", sizes=(2,))
ACTIONS = {spec.kind: spec for spec in (DISCRETE, MULTI_DISCRETE, CONTINUOUS)}

VECTOR = {"state": ObsSpec(kind="vector", shape=(5,))}
PIXELS = {"rgb": ObsSpec(kind="image", shape=(3, 64, 64))}
PACKED2 = {"screen": ObsSpec(kind="packed2", shape=OBS_PACKED2_SHAPE)}

# Nothing hides behind the free nats, and the first update of `nature` is not at learning rate 0.
LIVELY = ("world_model.kl_free_nats=0",)
NO_WARMUP = {"nature": ("algo.optimizer.warmup=0",), "sheeprl": ()}


def tiny_config(recipe: Recipe, *words: str) -> Config:
    """The recipe at the size of the `debug` preset: deter 16, 4 variables of 4 classes, 2 sequences of 4 rows."""
    return load_config(words, preset=f"{recipe}+debug")


def tiny_spaces(obs: Mapping[str, ObsSpec] = VECTOR, action: ActionSpec = DISCRETE) -> Spaces:
    return Spaces(obs=obs, action=action)


def tiny_agent(
    recipe: Recipe,
    *words: str,
    obs: Mapping[str, ObsSpec] = VECTOR,
    action: ActionSpec = DISCRETE,
    seed: int = 0,
) -> Agent:
    return build_agent(tiny_config(recipe, *words), tiny_spaces(obs, action), make_generator(seed))


def make_learner(agent: Agent, collective: Collective | None = None) -> Learner:
    return NatureLearner(agent, collective) if agent.config.is_nature else SheeprlLearner(agent, collective)


def random_obs(obs: Mapping[str, ObsSpec], lead: tuple[int, ...], generator: torch.Generator) -> dict[str, Tensor]:
    """Observations (*lead, ...) of each kind."""
    found: dict[str, Tensor] = {}
    for key, spec in obs.items():
        shape = (*lead, *spec.shape)
        if spec.kind == "vector":
            found[key] = 3 * torch.randn(shape, generator=generator)
        else:
            found[key] = torch.randint(256, shape, generator=generator, dtype=torch.uint8)
    return found


def random_actions(spec: ActionSpec, lead: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Actions as replay stores them, (*lead, stored width)."""
    if spec.is_continuous:
        return torch.rand((*lead, spec.stored_width), generator=generator) * 2 - 1
    heads = [torch.randint(size, lead, generator=generator) for size in spec.sizes]
    return torch.stack(heads, -1).to(torch.int32)


def random_batch(agent: Agent, seed: int = 0, *, rows: int | None = None, context: bool = False) -> Batch:
    """Sequences with two episodes each: the even ones change at row 2 after a termination, the odd ones after a cut."""
    generator, config = make_generator(seed), agent.config
    length, batch = rows or config.sequence_length + int(context), config.batch_size
    is_even = torch.arange(batch) % 2 == 0
    terminated, truncated, is_first = (torch.zeros(length, batch, dtype=torch.bool) for _ in range(3))
    terminated[1], truncated[1], is_first[2] = is_even, ~is_even, True
    action = random_actions(agent.spaces.action, (length, batch), generator)
    action[1] = 0 if agent.spaces.action.is_continuous else NO_ACTION
    return Batch(
        obs=random_obs(agent.spaces.obs, (length, batch), generator),
        action=action,
        reward=2 * torch.randn(length, batch, generator=generator) * ~is_first,
        is_first=is_first,
        terminated=terminated,
        truncated=truncated,
        context=random_state(agent, batch, generator) if context else None,
        time=torch.arange(length)[:, None].expand(length, batch),
        env=torch.arange(batch),
    )


def random_state(agent: Agent, batch: int, generator: torch.Generator) -> State:
    rssm = agent.world_model.rssm
    deter = torch.rand((batch, rssm.deterministic), generator=generator) * 2 - 1
    index = torch.randint(rssm.classes, (batch, rssm.stochastic), generator=generator)
    return State(deter, torch.nn.functional.one_hot(index, rssm.classes).float())


def random_rows(agent: Agent, count: int, seed: int = 0, *, is_first: bool = False) -> Rows:
    """One moment of `count` environments, in the middle of an episode unless told otherwise."""
    no = torch.zeros(count, dtype=torch.bool)
    obs = random_obs(agent.spaces.obs, (count,), make_generator(seed))
    return Rows(obs=obs, reward=torch.zeros(count), is_first=no | is_first, terminated=no, truncated=no)


def opinionated(agent: Agent, seed: int = 1) -> Agent:
    """With output layers that are neither zero nor tiny, so that what goes in decides what comes out."""
    generator = make_generator(seed)
    with torch.no_grad():
        for layer in (output_layer(agent.world_model.reward_head), output_layer(agent.critic.net), *agent.actor.heads):
            for parameter in layer.parameters():
                parameter.normal_(generator=generator)
    return agent


def output_layer(net: nn.Sequential) -> Linear:
    """The last layer of a head."""
    layer = net[-1]
    assert isinstance(layer, Linear)
    return layer


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """A copy of every weight, to compare with later."""
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}


def unchanged(module: nn.Module, before: Mapping[str, Tensor]) -> set[str]:
    """The names of the weights that are bit for bit as they were."""
    return {name for name, parameter in module.named_parameters() if torch.equal(parameter, before[name])}
