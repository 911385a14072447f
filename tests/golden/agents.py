"""Our agents with a fixture's configuration and weights, and learners that show what they dreamt."""

from typing import cast

import torch
from torch import Tensor

from dreamer_core.config.tree import Recipe
from dreamer_core.models.agent import Agent
from dreamer_core.models.world_model import Moment, WorldModelLoss
from dreamer_core.rng import ModeSampler, Sampler
from dreamer_core.training.learner_nature import Judged as NatureJudged
from dreamer_core.training.learner_nature import NatureLearner
from dreamer_core.training.learner_sheeprl import Judged as SheeprlJudged
from dreamer_core.training.learner_sheeprl import SheeprlLearner
from dreamer_core.types import Batch, Spaces, State
from tests.golden.fixtures import Fixture
from tests.golden.parity import load_weights, weights_of
from tests.golden.translate import batch_from, config_from, spaces_from

PARTS = ("world_model", "actor", "critic", "target_critic")
# Where the reference calls a metric by another name.
OUR_NAMES = {"Actor/entropy": "action_entropy", "Values/return": "return_mean", "Values/value": "value_mean"}


def agent_of(golden: Fixture) -> Agent:
    """With all the weights that the fixture holds, and the return range it starts from."""
    recipe = cast(Recipe, golden.name.partition("_")[0])
    agent = Agent(config_from(golden.settings, recipe), spaces_of(golden))
    for part, module in modules_of(agent).items():
        if any(name.startswith(f"{part}.") for name in golden.params):
            load_weights(golden, module, part)
    if "moments.low" in golden.inputs:
        agent.moments.low.copy_(golden.inputs["moments.low"])
        agent.moments.high.copy_(golden.inputs["moments.high"])
    return agent


def spaces_of(golden: Fixture) -> Spaces:
    algo = golden.settings["algo"]
    keys = [*algo["cnn_keys"]["encoder"], *algo["mlp_keys"]["encoder"]]
    return spaces_from(golden.settings, {key: golden.inputs.get(key, torch.zeros(1, 1, 5)) for key in keys})


def modules_of(agent: Agent) -> dict[str, torch.nn.Module]:
    return dict(zip(PARTS, (agent.world_model, agent.actor, agent.critic, agent.slow_critic), strict=True))


def agent_weights(golden: Fixture, agent: Agent, *parts: str) -> dict[str, Tensor]:
    """Our weights of some parts by the reference's names."""
    found: dict[str, Tensor] = {}
    for part in parts:
        found |= weights_of(golden, modules_of(agent)[part], part)
    return found


def batch_of(golden: Fixture, agent: Agent) -> Batch:
    return batch_from(golden.inputs, agent.spaces, agent.config.world_model.discrete_size)


def state_of(latents: Tensor, agent: Agent) -> State:
    """Features (..., F) back to the state they are a view of."""
    rssm = agent.world_model.rssm
    stoch, deter = latents.split([rssm.stochastic * rssm.classes, rssm.deterministic], -1)
    return State(deter, stoch.unflatten(-1, (rssm.stochastic, rssm.classes)))


def metrics_of(golden: Fixture, metrics: dict[str, Tensor]) -> dict[str, Tensor]:
    """The metrics that the fixture holds, by its names."""
    ours = {name: OUR_NAMES.get(name, name) for name in golden.outputs}
    return {name: metrics[own] for name, own in ours.items() if own in metrics}


class WatchedNature(NatureLearner):
    """Keeps its last dream; dreams the `given` one where there is one."""

    judged: NatureJudged
    given: NatureJudged | None = None

    def _dream(self, model: WorldModelLoss, sampler: Sampler) -> NatureJudged:
        self.judged = self.given or super()._dream(model, sampler)
        return self.judged

    def dream(self, model: WorldModelLoss) -> NatureJudged:
        return self._dream(model, ModeSampler())

    def judge(self, moment: Moment, model: WorldModelLoss) -> tuple[Tensor, dict[str, Tensor]]:
        """The losses of actor and critic."""
        return self._behavior_loss(moment, model, ModeSampler())


class WatchedSheeprl(SheeprlLearner):
    """Keeps its last dream."""

    judged: SheeprlJudged

    def _dream(self, moment: Moment, states: State, sampler: Sampler) -> SheeprlJudged:
        self.judged = super()._dream(moment, states, sampler)
        return self.judged
