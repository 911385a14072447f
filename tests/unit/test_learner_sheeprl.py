"""What only the sheeprl update does: three steps in a row, and gradients through the dream where actions allow it."""

from copy import deepcopy

import pytest
import torch

from dreamer_core.rng import ModeSampler, RandomSampler, make_generator
from dreamer_core.training.learner import Plan, gradient_norm, prepare
from dreamer_core.training.learner_sheeprl import SheeprlLearner
from dreamer_core.types import ActionSpec
from tests.factories import ACTIONS, CONTINUOUS, DISCRETE, LIVELY, opinionated, output_layer, random_batch, tiny_agent

every_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)


def make_learner(*words: str, action: ActionSpec = DISCRETE) -> SheeprlLearner:
    return SheeprlLearner(opinionated(tiny_agent("sheeprl", *LIVELY, *words, action=action)))


def test_dreams_are_dreamt_in_the_world_model_as_it_is_after_its_step() -> None:
    returns = []
    for plan in (Plan(), Plan(world_model=False)):
        learner = make_learner()
        update = learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)), plan)
        returns.append(update.metrics["return_mean"].item())
    assert returns[0] != returns[1]


@every_action
def test_behavior_adds_nothing_to_the_gradients_of_the_world_model(action: ActionSpec) -> None:
    gradients = []
    for plan in (Plan(), Plan(actor_critic=False)):
        learner = make_learner(action=action)
        learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)), plan)
        gradients.append([p.grad for p in learner.agent.world_model.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)


@pytest.mark.parametrize("action", [DISCRETE, CONTINUOUS], ids=["discrete", "continuous"])
def test_gradients_run_through_the_dream_only_where_actions_are_continuous(action: ActionSpec) -> None:
    learner = make_learner(action=action)
    agent, batch = learner.agent, random_batch(learner.agent)
    moment = prepare(batch, agent.config, agent)
    states = agent.world_model.observe(moment, ModeSampler()).states.detach()
    judged = learner._dream(moment, states, RandomSampler(make_generator(0)))
    assert judged.returns.requires_grad is action.is_continuous
    assert not judged.weights.requires_grad
    if action.is_continuous:
        gradients = torch.autograd.grad(judged.returns.sum(), list(agent.actor.parameters()))
        assert all(gradient.abs().sum() > 0 for gradient in gradients)


def test_a_dream_from_a_terminated_row_weighs_nothing() -> None:
    learner = make_learner()
    agent, batch = learner.agent, random_batch(learner.agent)
    moment = prepare(batch, agent.config, agent)
    states = agent.world_model.observe(moment, ModeSampler()).states.detach()
    weights = learner._dream(moment, states, ModeSampler()).weights.unflatten(1, (4, 2))
    assert torch.equal(weights[0], batch.continues)  # the real continue: 0 after a termination, 1 after a cut
    assert weights[:, 1, 0].tolist() == [0.0] * 4


def test_a_dream_is_discounted_by_gamma_while_it_is_more_likely_to_go_on() -> None:
    learner = make_learner("algo.gamma=0.5")
    agent, batch = learner.agent, random_batch(learner.agent)
    head = output_layer(agent.world_model.continue_head)
    moment = prepare(batch, agent.config, agent)
    states = agent.world_model.observe(moment, ModeSampler()).states.detach()
    for bias, expected in ((0.1, [1.0, 0.5, 0.25, 0.125]), (-0.1, [1.0, 0.0, 0.0, 0.0])):
        with torch.no_grad():
            head.weight.zero_()
            head.bias.fill_(bias)
        assert learner._dream(moment, states, ModeSampler()).weights[:, 0].tolist() == expected


@pytest.mark.parametrize("part", ["world_model", "actor", "critic"])
def test_gradients_are_clipped_part_by_part_and_reported_before(part: str) -> None:
    batch = random_batch(make_learner().agent)
    learners = {clip: make_learner(f"{part}.clip_gradients={clip}") for clip in (1e-3, 0)}
    metrics = {
        clip: learner.update(batch, RandomSampler(make_generator(0))).metrics for clip, learner in learners.items()
    }
    norms = {clip: gradient_norm(getattr(learner.agent, part).parameters()) for clip, learner in learners.items()}
    assert norms[1e-3].item() == pytest.approx(1e-3, rel=1e-2)
    assert norms[0].item() == pytest.approx(metrics[0][f"Grads/{part}"].item())
    assert metrics[1e-3][f"Grads/{part}"].item() > 2e-3


def test_each_part_has_an_adam_of_its_own() -> None:
    learner = make_learner("world_model.lr=0.01", "actor.lr=0.02", "critic.lr=0.03", "critic.optimizer.eps=0.5")
    learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)), Plan(lr_scale=0.5, ac_lr_scale=0.1))
    assert list(learner.optimizers) == ["world_model", "actor", "critic"]
    rates = [optimizer.param_groups[0]["lr"] for optimizer in learner.optimizers.values()]
    assert rates == pytest.approx([0.01 * 0.5, 0.02 * 0.05, 0.03 * 0.05])
    assert [optimizer.defaults["eps"] for optimizer in learner.optimizers.values()] == [1e-8, 1e-5, 0.5]


def test_the_first_adam_step_is_as_long_as_its_learning_rate() -> None:
    learner = make_learner("world_model.lr=0.001")
    head = output_layer(learner.agent.world_model.continue_head)
    before = head.weight.detach().clone()
    learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)))
    step = (head.weight - before).abs()
    torch.testing.assert_close(step, torch.full_like(step, 0.001), rtol=1e-3, atol=0)


def test_a_run_that_began_before_its_optimizers_were_fused_goes_on_fused() -> None:
    learner = make_learner()
    learner.update(random_batch(learner.agent), RandomSampler(make_generator(0)))
    saved = deepcopy(learner.state())
    for optimizer in saved.values():
        optimizer["param_groups"][0]["fused"] = None
    resumed = make_learner()
    resumed.restore(saved, learner.count)
    assert [adam.param_groups[0]["fused"] for adam in resumed.adams.values()] == [True] * 3
