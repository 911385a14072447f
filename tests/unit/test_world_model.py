"""The world model's loss: what its parts are, and which gradient goes where."""

import math

import pytest
import torch
from torch import Tensor

from dreamer_core.config.tree import Recipe
from dreamer_core.models.agent import Agent
from dreamer_core.models.rssm import Observed
from dreamer_core.models.world_model import Moment
from dreamer_core.rng import ModeSampler, make_generator, randn
from dreamer_core.training.learner import prepare
from dreamer_core.types import State
from tests.factories import RECIPES, opinionated, random_batch, tiny_agent

recipes = pytest.mark.parametrize("recipe", RECIPES)


def state_loss(agent: Agent, posterior: Tensor, prior: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    nothing = State(torch.zeros(1), torch.zeros(1))
    return agent.world_model._state_loss(Observed(nothing, posterior, prior))


def two_latents(spread: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits of a posterior and a prior (T = 1, B = 1, S = 2, C = 2), and their log-probabilities."""
    posterior = torch.tensor([[[[spread, 0.0], [0.0, 0.0]]]], requires_grad=True)
    prior = torch.zeros(1, 1, 2, 2, requires_grad=True)
    return posterior, prior, posterior.log_softmax(-1), prior.log_softmax(-1)


def moment_of(agent: Agent, seed: int = 0) -> Moment:
    return prepare(random_batch(agent, seed), agent.config, agent)


def gradient(of: Tensor, to: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(of, to, allow_unused=True, retain_graph=True)
    return torch.zeros_like(to) if found is None else found


def test_below_the_free_nats_there_is_a_floor_and_no_gradient() -> None:
    agent = tiny_agent("nature", "world_model.kl_dynamic=1", "world_model.kl_representation=0.1")
    posterior, prior, *log_probs = two_latents(spread=1.0)
    loss, metrics = state_loss(agent, *log_probs)
    assert 0 < metrics["State/kl"].item() < 1
    assert metrics["State/kl_clamped"].item() == 1.0
    assert metrics["State/kl_below_free_nats"].item() == 1.0
    assert loss.item() == pytest.approx(1.1)
    assert gradient(loss, posterior).abs().sum() == gradient(loss, prior).abs().sum() == 0


def test_above_the_free_nats_the_gradient_is_whole() -> None:
    agent = tiny_agent("nature", "world_model.kl_free_nats=0.5")
    free = tiny_agent("nature", "world_model.kl_free_nats=0")
    posterior, prior, *log_probs = two_latents(spread=9.0)
    (clamped, metrics), (unclamped, _) = state_loss(agent, *log_probs), state_loss(free, *log_probs)
    assert metrics["State/kl"].item() == pytest.approx(math.log(2), abs=0.01)  # all of it, not the part above
    assert metrics["State/kl_below_free_nats"].item() == 0.0
    assert clamped.item() == unclamped.item()
    for leaf in (posterior, prior):
        assert torch.equal(gradient(clamped, leaf), gradient(unclamped, leaf))
        assert gradient(clamped, leaf).abs().sum() > 0


def test_the_floor_is_on_the_sum_over_the_latents() -> None:
    agent = tiny_agent("nature")
    posterior = torch.tensor([[[[9.0, 0.0], [9.0, 0.0]]]]).log_softmax(-1)  # 0.69 nats each, 1.38 together
    loss, metrics = state_loss(agent, posterior, torch.zeros(1, 1, 2, 2).log_softmax(-1))
    assert metrics["State/kl"].item() == pytest.approx(2 * math.log(2), abs=0.02)
    assert loss.item() == pytest.approx(1.1 * metrics["State/kl"].item())


@pytest.mark.parametrize(
    ("words", "posterior_learns", "prior_learns"),
    [
        (("world_model.kl_dynamic=1", "world_model.kl_representation=0"), False, True),
        (("world_model.kl_dynamic=0", "world_model.kl_representation=1"), True, False),
    ],
    ids=["dynamic", "representation"],
)
def test_each_half_of_the_kl_teaches_one_side_only(
    words: tuple[str, ...], posterior_learns: bool, prior_learns: bool
) -> None:
    agent = tiny_agent("sheeprl", "world_model.kl_free_nats=0", *words)
    posterior, prior, *log_probs = two_latents(spread=1.0)
    loss, _ = state_loss(agent, *log_probs)
    assert bool(gradient(loss, posterior).abs().sum() > 0) is posterior_learns
    assert bool(gradient(loss, prior).abs().sum() > 0) is prior_learns


@recipes
def test_the_total_is_the_weighted_sum_of_its_parts(recipe: Recipe) -> None:
    words = ("algo.loss_scales.observation=2", "algo.loss_scales.reward=3", "world_model.continue_scale_factor=5")
    agent = opinionated(tiny_agent(recipe, *words, "world_model.kl_regularizer=7"))
    metrics = agent.world_model.loss(moment_of(agent), ModeSampler()).metrics
    expected = (
        2 * metrics["Loss/observation_loss"]
        + 3 * metrics["Loss/reward_loss"]
        + metrics["Loss/continue_loss"]  # already scaled, as in sheeprl
        + 7 * metrics["Loss/state_loss"]
    )
    torch.testing.assert_close(metrics["Loss/world_model_loss"], expected)
    assert all(value.shape == () and not value.requires_grad for value in metrics.values())


@pytest.mark.parametrize(("recipe", "alive"), [("nature", 0.996996996996997), ("sheeprl", 1.0)])
def test_the_continue_target_is_zero_only_after_a_termination(recipe: Recipe, alive: float) -> None:
    agent = tiny_agent(recipe)
    batch = random_batch(agent)
    target = agent.world_model.continue_target(batch.terminated)
    assert target[1].tolist() == pytest.approx([0.0, alive])  # row 1: terminated, and cut off
    assert torch.equal(target == 0, batch.terminated)
    assert torch.equal(batch.continues == 0, batch.terminated)


@pytest.mark.parametrize("reward_grad", [True, False])
def test_the_reward_shapes_the_states_only_where_it_may(reward_grad: bool) -> None:
    others = ("algo.loss_scales.observation", "world_model.continue_scale_factor", "world_model.kl_regularizer")
    agent = opinionated(tiny_agent("nature", *(f"{key}=0" for key in others), f"world_model.reward_grad={reward_grad}"))
    agent.world_model.loss(moment_of(agent), ModeSampler()).total.backward()
    reached = sum(p.grad.abs().sum().item() for p in agent.world_model.rssm.parameters() if p.grad is not None)
    assert (reached > 0) is reward_grad
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in agent.world_model.reward_head.parameters())


@recipes
def test_one_batch_can_be_learned_by_heart(recipe: Recipe) -> None:
    agent = tiny_agent(recipe, "algo.dense_units=32", "world_model.kl_free_nats=0.1")
    moment = moment_of(agent)
    optimizer = torch.optim.Adam(agent.world_model.parameters(), lr=0.01)
    losses = []
    for _ in range(150):
        loss = agent.world_model.loss(moment, ModeSampler())
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        losses.append(loss.metrics)
    for name in ("Loss/observation_loss", "Loss/reward_loss", "Loss/continue_loss"):
        assert losses[-1][name] < 0.35 * losses[0][name], name


def test_what_the_reward_head_learns_is_what_it_predicts() -> None:
    agent = tiny_agent("nature")
    features = randn((3, 2, agent.world_model.feature_size), make_generator(0))
    assert agent.world_model.predict_reward(features).tolist() == [[0.0, 0.0]] * 3  # exactly zero at the start
    assert agent.world_model.continue_logit(features).shape == (3, 2)
