"""Policies: probabilities, entropies, bounds and gradients, for each kind of action."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, Normal

from dreamer_core.config.tree import Recipe
from dreamer_core.models.actor import Actor, CategoricalPolicy, NormalPolicy
from dreamer_core.models.distributions import log_probs
from dreamer_core.rng import ModeSampler, RandomSampler, make_generator, randn
from tests.factories import CONTINUOUS, DISCRETE, MULTI_DISCRETE, RECIPES, opinionated, tiny_agent

recipes = pytest.mark.parametrize("recipe", RECIPES)


def heads_of(*sizes: int) -> tuple[torch.Tensor, ...]:
    generator = make_generator(0)
    return tuple(log_probs(randn((6, size), generator), 0.0) for size in sizes)


def continuous(recipe: Recipe, *words: str) -> tuple[Actor, torch.Tensor]:
    agent = opinionated(tiny_agent(recipe, *words, action=CONTINUOUS))
    return agent.actor, 10 * randn((500, agent.world_model.feature_size), make_generator(2))


def test_an_action_of_several_heads_is_their_one_hots_side_by_side() -> None:
    sample = CategoricalPolicy(heads_of(3, 2)).sample(RandomSampler(make_generator(1)))
    assert sample.shape == (6, 5)
    assert (sample[:, :3].sum(-1) == 1).all()
    assert (sample[:, 3:].sum(-1) == 1).all()


def test_log_probability_and_entropy_are_summed_over_the_heads() -> None:
    heads = heads_of(3, 2)
    policy = CategoricalPolicy(heads)
    action = policy.sample(RandomSampler(make_generator(1)))
    first, second = action[:, :3].argmax(-1), action[:, 3:].argmax(-1)
    reference = [Categorical(logits=head) for head in heads]
    torch.testing.assert_close(policy.log_prob(action), reference[0].log_prob(first) + reference[1].log_prob(second))
    torch.testing.assert_close(policy.entropy(), reference[0].entropy() + reference[1].entropy())


def test_a_normal_policy_has_the_density_and_entropy_of_independent_normals() -> None:
    generator = make_generator(0)
    mean, std = randn((6, 2), generator), randn((6, 2), generator).exp()
    policy = NormalPolicy(mean, std, clip=0.0)
    reference, action = Independent(Normal(mean, std), 1), randn((6, 2), generator)
    torch.testing.assert_close(policy.log_prob(action), reference.log_prob(action))
    torch.testing.assert_close(policy.entropy(), reference.entropy())


def test_a_sample_outside_the_clip_is_brought_to_its_edge_with_the_gradient_of_what_lies_inside() -> None:
    mean = torch.tensor([[3.0, -0.5]], requires_grad=True)
    action = NormalPolicy(mean, torch.ones(1, 2), clip=1.0).sample(ModeSampler())
    assert action.tolist() == [[1.0, -0.5]]
    action.sum().backward()
    assert mean.grad is not None
    assert mean.grad.tolist() == [[pytest.approx(1 / 3), 1.0]]  # scaled, not cut off


def test_noise_and_deviation_make_the_sample_and_pass_gradients_on() -> None:
    mean, std = torch.zeros(1, 2, requires_grad=True), torch.full((1, 2), 0.1, requires_grad=True)
    action = NormalPolicy(mean, std, clip=1.0).sample(RandomSampler(make_generator(0)))
    action.sum().backward()
    assert std.grad is not None
    torch.testing.assert_close(std.grad * 0.1, action.detach())


@recipes
def test_the_deviation_of_continuous_actions_stays_within_its_bounds(recipe: Recipe) -> None:
    actor, features = continuous(recipe, "actor.min_std=0.2", "actor.max_std=0.7")
    with torch.no_grad():
        for parameter in actor.heads.parameters():
            parameter.mul_(20)
    policy = actor(features)
    assert isinstance(policy, NormalPolicy)
    assert 0.2 <= policy.std.min() < 0.21
    assert 0.69 < policy.std.max() <= 0.7
    assert policy.mean.abs().max() <= 1
    assert policy.mean.shape == policy.std.shape == (500, 2)


def test_only_sheeprl_clips_its_samples() -> None:
    for recipe, is_clipped in (("sheeprl", True), ("nature", False)):
        actor, features = continuous("sheeprl" if is_clipped else "nature")
        samples = actor(features).sample(RandomSampler(make_generator(3)))
        assert (samples.abs().max().item() <= 1) is is_clipped, recipe


def test_greedy_continuous_actions_are_the_mean() -> None:
    actor, features = continuous("nature")
    policy = actor(features)
    assert torch.equal(policy.sample(ModeSampler()), policy.mean)


@pytest.mark.parametrize(("recipe", "share"), [("nature", 0.0), ("sheeprl", 0.01)])
def test_the_actor_mixes_in_uniform_only_for_sheeprl(recipe: Recipe, share: float) -> None:
    agent = opinionated(tiny_agent(recipe))
    features = 1000 * randn((200, agent.world_model.feature_size), make_generator(2))
    (head,) = agent.actor.heads
    plain = head(agent.actor.net(features)).softmax(-1)
    policy = agent.actor(features)
    torch.testing.assert_close(policy.log_probs[0].exp(), (1 - share) * plain + share / 3)


@recipes
def test_each_head_of_a_multi_discrete_actor_has_its_own_size(recipe: Recipe) -> None:
    agent = tiny_agent(recipe, action=MULTI_DISCRETE)
    policy = agent.actor(randn((4, 2, agent.world_model.feature_size), make_generator(0)))
    assert [head.shape for head in policy.log_probs] == [(4, 2, 3), (4, 2, 2)]
    assert policy.entropy().shape == (4, 2)


def test_nature_starts_almost_uniform() -> None:
    agent = tiny_agent("nature", action=DISCRETE)
    policy = agent.actor(randn((50, agent.world_model.feature_size), make_generator(0)))
    assert policy.entropy().min().item() == pytest.approx(math.log(3), abs=1e-3)
