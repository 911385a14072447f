"""A whole update of the `sheeprl` recipe: losses, dream, three sets of gradients, clipping, weights, as at 33b6366."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dreamer_core.models.agent import Agent
from dreamer_core.rng import ModeSampler
from dreamer_core.training.learner import Update
from tests.golden.agents import WatchedSheeprl, agent_of, agent_weights, batch_of, metrics_of
from tests.golden.fixtures import Fixture, load
from tests.golden.parity import check_after, check_outputs
from tests.golden.tolerances import GRADIENTS, LOSSES, PIXEL_GRADIENTS, assert_near, assert_near_gradient

LEARNED = ("world_model", "actor", "critic")
TRAINED = [
    "sheeprl_train_discrete",
    "sheeprl_train_multi_discrete",
    "sheeprl_train_continuous",
    "sheeprl_train_pixels",
]


@pytest.mark.parametrize("name", TRAINED)
def test_a_whole_update_agrees_in_losses_dreams_gradients_and_weights(name: str) -> None:
    golden = load(name)
    agent = agent_of(golden)
    learner = WatchedSheeprl(agent)
    hold_slow_critic(learner)
    update = learner.update(batch_of(golden, agent), ModeSampler())
    check_outputs(golden, {**metrics_of(golden, update.metrics), **_dreamt(golden, learner)}, LOSSES)
    weights = agent_weights(golden, agent, *LEARNED)
    assert golden.grads.keys() <= weights.keys()
    for part in LEARNED:
        _check_clipped(golden, agent, part, update)
    assert weights.keys() == set(golden.after) - {"moments.low", "moments.high"}
    check_after(golden, weights, {part: golden.settings["algo"][part]["optimizer"]["lr"] for part in LEARNED})
    assert_near("low", agent.moments.low, golden.after["moments.low"])
    assert_near("high", agent.moments.high, golden.after["moments.high"])


def hold_slow_critic(learner: WatchedSheeprl) -> None:
    """The fixtures of train steps begin after the slow critic has moved."""
    learner.count = 1
    critic = replace(learner.config.critic, per_rank_target_network_update_freq=1000)
    learner.config = replace(learner.config, critic=critic)


def _check_clipped(golden: Fixture, agent: Agent, part: str, update: Update) -> None:
    """Our gradients are left clipped, the fixture's are from before. A dream starts from the world model as its
    clipped step leaves it, so both must be compared in one update: the fixture's are clipped here."""
    clip = golden.settings["algo"][part]["clip_gradients"]
    share = min(1.0, clip / float(update.metrics[f"Grads/{part}"]))
    for name, weight in agent_weights(golden, agent, part).items():
        expected = golden.grads.get(name, torch.zeros_like(weight)) * share
        found = torch.zeros_like(weight) if weight.grad is None else weight.grad
        tolerance = PIXEL_GRADIENTS if "rgb" in golden.inputs else GRADIENTS
        assert_near_gradient(f"{golden.name}: {name}", found, expected, tolerance)


def _dreamt(golden: Fixture, learner: WatchedSheeprl) -> dict[str, Tensor]:
    """The dream, with the rewards and discounts that the learner looked at and did not keep."""
    agent, judged = learner.agent, learner.judged
    later, gamma = judged.dream.features[1:], agent.config.algo.gamma
    discounts = (agent.world_model.continue_logit(later) > 0).float() * gamma
    real = 1.0 - golden.inputs["terminated"].flatten()
    # A dream's first discount is whether the row that was really seen goes on.
    assert_near("weights", judged.weights, torch.cat([real[None] * gamma, discounts]).cumprod(0) / gamma)
    return {
        "imagined.trajectories": judged.dream.features,
        "imagined.actions": judged.dream.actions,
        "imagined.rewards": agent.world_model.predict_reward(later),
        "imagined.values": judged.values[1:],
        "imagined.discounts": discounts,
        "imagined.lambda_values": judged.returns,
        "offset": agent.moments.low,
        "invscale": (agent.moments.high - agent.moments.low).clamp(min=1.0),
    }
