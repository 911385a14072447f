"""What only the nature update does: one backward pass, dreams without gradients, a critic grounded in replay."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from dreamer_core.models.world_model import Moment, WorldModelLoss
from dreamer_core.rng import ModeSampler, RandomSampler, make_generator
from dreamer_core.training.learner import Plan, prepare
from dreamer_core.training.learner_nature import NatureLearner
from dreamer_core.types import ActionSpec, Batch
from tests.factories import ACTIONS, LIVELY, opinionated, output_layer, random_batch, tiny_agent

every_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)


class Behaved(NamedTuple):
    """The behavior loss of one update, with what it was computed from."""

    learner: NatureLearner
    loss: Tensor
    metrics: dict[str, Tensor]

    def reaches(self, part: str) -> bool:
        """Whether the loss has a gradient for that part of the agent."""
        parameters = list(getattr(self.learner.agent, part).parameters())
        gradients = torch.autograd.grad(self.loss, parameters, allow_unused=True, retain_graph=True)
        return any(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients)


def make_learner(*words: str, action: ActionSpec = ACTIONS["discrete"]) -> NatureLearner:
    return NatureLearner(opinionated(tiny_agent("nature", *LIVELY, *words, action=action)))


def observed(learner: NatureLearner, batch: Batch | None = None) -> tuple[Moment, WorldModelLoss]:
    agent = learner.agent
    moment = prepare(batch or random_batch(agent, context=True), agent.config, agent)
    return moment, agent.world_model.loss(moment, ModeSampler())


def behave(*words: str, action: ActionSpec = ACTIONS["discrete"], batch: Batch | None = None) -> Behaved:
    learner = make_learner(*words, action=action)
    moment, model = observed(learner, batch)
    return Behaved(learner, *learner._behavior_loss(moment, model, RandomSampler(make_generator(0))))


@every_action
def test_a_dream_never_teaches_the_world_model(action: ActionSpec) -> None:
    behaved = behave("critic.replay_loss=false", action=action)
    assert not behaved.reaches("world_model")
    assert behaved.reaches("actor")
    assert behaved.reaches("critic")
    assert not any(parameter.requires_grad for parameter in behaved.learner.agent.slow_critic.parameters())


def test_the_replay_critic_teaches_the_world_model_only_where_it_may() -> None:
    alone = ("algo.loss_scales.policy=0", "algo.loss_scales.value=0")
    shaping, apart = behave(*alone), behave(*alone, "critic.replay_grad=false")
    assert shaping.reaches("world_model")
    assert not apart.reaches("world_model")
    assert shaping.reaches("critic")
    assert apart.reaches("critic")
    assert torch.equal(shaping.loss, apart.loss)


@every_action
def test_the_policy_loss_teaches_the_actor_only_and_the_value_loss_the_critic_only(action: ActionSpec) -> None:
    policy = behave("algo.loss_scales.value=0", "critic.replay_loss=false", action=action)
    assert policy.reaches("actor")
    assert not policy.reaches("critic")
    value = behave("algo.loss_scales.policy=0", "critic.replay_loss=false", action=action)
    assert not value.reaches("actor")
    assert value.reaches("critic")


def test_the_loss_is_the_weighted_sum_of_its_parts() -> None:
    scales = ("algo.loss_scales.policy=2", "algo.loss_scales.value=3", "algo.loss_scales.replay_value=0.5")
    _, loss, metrics = behave(*scales)
    policy, value, replay = (metrics[f"Loss/{name}_loss"] for name in ("policy", "value", "replay_value"))
    expected = 2 * policy + 3 * value + 0.5 * replay
    torch.testing.assert_close(loss.detach(), expected)


@pytest.mark.parametrize("is_discounting", [True, False])
def test_a_dream_is_discounted_once(is_discounting: bool) -> None:
    """The continue head predicts the discount itself, or bare survival that gamma is then put on."""
    learner = make_learner(f"world_model.continue_discount={is_discounting}", "algo.gamma=0.5")
    head = output_layer(learner.agent.world_model.continue_head)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(0.0 if is_discounting else 50.0)  # a discount of sigmoid(0) = 0.5, or certain survival
    _, model = observed(learner)
    judged = learner._dream(model, RandomSampler(make_generator(0)))
    expected = [0.5, 0.25, 0.125, 0.0625] if is_discounting else [1.0, 0.5, 0.25, 0.125]
    torch.testing.assert_close(judged.weights, torch.tensor(expected)[:, None].expand(4, 8))
    reward = learner.agent.world_model.predict_reward(judged.dream.features, judged.dream.ones)[-1]
    torch.testing.assert_close(judged.returns[-1], reward + 0.5 * judged.values[-1])


def test_a_dream_starts_at_every_row_and_has_one_moment_more_than_steps() -> None:
    learner = make_learner()
    _, model = observed(learner)
    judged = learner._dream(model, ModeSampler())
    assert judged.dream.features.shape == (4, 8, 32)
    assert judged.dream.actions.shape == (4, 8, 3)
    assert judged.returns.shape == (3, 8)
    assert torch.equal(judged.dream.features[0], model.observed.states.features.flatten(0, 1))
    assert not judged.dream.features.requires_grad


def test_the_replay_critic_learns_nothing_at_the_last_row_of_an_episode() -> None:
    learner = make_learner()
    batch = random_batch(learner.agent, context=True)
    assert behave(batch=batch).metrics["Loss/replay_value_loss"] > 0
    ended = batch._replace(truncated=torch.ones_like(batch.truncated))
    assert behave(batch=ended).metrics["Loss/replay_value_loss"].item() == 0.0


def test_one_row_is_too_short_for_a_replayed_return() -> None:
    assert "Loss/replay_value_loss" not in behave("algo.imag_last=1").metrics
    assert behave("algo.imag_last=2").metrics["Loss/replay_value_loss"] > 0


def test_the_pull_toward_the_slow_critic_can_be_switched_off() -> None:
    with_pull, without = (behave(f"critic.slow_regularizer={pull}", "critic.replay_loss=false") for pull in (1, 0))
    assert with_pull.metrics["Loss/value_loss"] > without.metrics["Loss/value_loss"]


def test_dreams_are_dreamt_in_the_world_model_as_it_was_before_the_step() -> None:
    returns = []
    for plan in (Plan(), Plan(world_model=False)):
        learner = make_learner("algo.optimizer.warmup=0")
        update = learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)), plan)
        returns.append(update.metrics["return_mean"].item())
    assert returns[0] == returns[1]


def test_the_first_update_only_warms_up() -> None:
    learner = make_learner()
    before = [parameter.detach().clone() for parameter in learner.agent.critic.parameters()]
    learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)))
    assert all(torch.equal(a, b) for a, b in zip(before, learner.agent.critic.parameters(), strict=True))
