"""Dreams: where they start, how they go on, and what is said about the policy that dreamt them."""

import math

import pytest
import torch

from dreamer_core.config.tree import Recipe
from dreamer_core.models.behavior import action_metrics, imagine, imagine_watched, last_rows
from dreamer_core.rng import ModeSampler, RandomSampler, make_generator
from dreamer_core.types import ActionSpec, State
from tests.factories import ACTIONS, CONTINUOUS, RECIPES, opinionated, random_state, tiny_agent

recipes = pytest.mark.parametrize("recipe", RECIPES)


@pytest.mark.parametrize(("count", "rows"), [(0, [0, 1, 2]), (1, [2]), (2, [1, 2]), (3, [0, 1, 2]), (9, [0, 1, 2])])
def test_dreams_start_at_the_last_rows_of_every_sequence(count: int, rows: list[int]) -> None:
    names = torch.tensor([[10.0 * t + b for b in range(2)] for t in range(3)])
    start = last_rows(State(names[..., None], names[..., None, None]), count)
    expected = [10.0 * t + b for t in rows for b in range(2)]
    assert start.deter.flatten().tolist() == start.stoch.flatten().tolist() == expected
    assert start.deter.shape == (len(expected), 1)
    assert start.stoch.shape == (len(expected), 1, 1)


@recipes
def test_a_dream_is_the_actor_playing_in_the_world_model_step_by_step(recipe: Recipe) -> None:
    agent = opinionated(tiny_agent(recipe))
    state = start = random_state(agent, 5, make_generator(0))
    dream = imagine(agent.world_model, agent.actor, start, 3, ModeSampler())
    assert (len(dream.features), len(dream.actions)) == (4, 4)
    for features, action in zip(dream.features, dream.actions, strict=True):
        assert torch.equal(features, state.features)
        assert torch.equal(action, agent.actor(features).sample(ModeSampler()))
        state = agent.world_model.rssm.imagine_step(state, action, ModeSampler())


@recipes
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
@pytest.mark.parametrize("classes", [4, 16], ids=["few-classes", "many-classes"])
def test_a_watched_dream_is_the_same_dream(recipe: Recipe, action: ActionSpec, classes: int) -> None:
    agent = opinionated(tiny_agent(recipe, f"world_model.discrete_size={classes}", action=action))
    start = random_state(agent, 5, make_generator(0))
    with torch.no_grad():
        plain = imagine(agent.world_model, agent.actor, start, 3, RandomSampler(make_generator(1)))
    watched = imagine_watched(agent.world_model, agent.actor, start, 3, RandomSampler(make_generator(1)))
    torch.testing.assert_close(watched.features, plain.features)
    torch.testing.assert_close(watched.actions, plain.actions)
    assert watched.ones is not None
    assert torch.equal(watched.features[..., : watched.ones.width].nonzero()[:, -1], watched.ones.at.flatten())


@recipes
def test_the_policy_of_a_watched_dream_has_the_gradients_of_a_second_look(recipe: Recipe) -> None:
    agent = opinionated(tiny_agent(recipe))
    weights = list(agent.actor.parameters())
    dream = imagine_watched(agent.world_model, agent.actor, random_state(agent, 5, make_generator(0)), 3, ModeSampler())
    assert dream.policy is not None
    again = agent.actor(dream.features[:-1])
    seen, expected = (policy.log_prob(dream.actions[:-1]).square().sum() for policy in (dream.policy, again))
    torch.testing.assert_close(torch.autograd.grad(seen, weights), torch.autograd.grad(expected, weights))


def test_what_heads_see_of_a_dream_has_the_ones_of_its_moments() -> None:
    agent = tiny_agent("nature")
    dream = imagine_watched(agent.world_model, agent.actor, random_state(agent, 5, make_generator(0)), 3, ModeSampler())
    features, ones = dream.seen(slice(1, None))
    assert dream.ones is not None
    assert ones is not None
    assert torch.equal(features, dream.features[1:])
    assert torch.equal(ones.at, dream.ones.at[1:])


def test_the_policy_gets_no_gradient_from_what_it_sees_but_from_what_its_actions_do() -> None:
    agent = opinionated(tiny_agent("sheeprl", action=CONTINUOUS))
    start = random_state(agent, 5, make_generator(0))
    dream = imagine(agent.world_model, agent.actor, State(start.deter.requires_grad_(), start.stoch), 2, ModeSampler())
    (seen,) = torch.autograd.grad(dream.actions[0].sum(), start.deter, retain_graph=True, materialize_grads=True)
    assert seen.abs().sum() == 0
    through_world = torch.autograd.grad(dream.features[1].sum(), list(agent.actor.parameters()), retain_graph=True)
    assert all(gradient.abs().sum() > 0 for gradient in through_world)


def test_the_share_of_the_most_common_action_is_told() -> None:
    one_hots = torch.eye(3)[[0, 1, 1, 1]][None]
    metrics = action_metrics(torch.tensor([0.5, 1.5]), one_hots, is_continuous=False)
    assert metrics["action_entropy"].item() == 1.0
    assert metrics["action_top_fraction"].item() == 0.75
    assert "action_top_fraction" not in action_metrics(torch.tensor([math.log(2)]), one_hots, is_continuous=True)
