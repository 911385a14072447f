"""Acting: the player remembers what it did, forgets with its episode, and plays what it stores."""

import pytest
import torch

from dreamer_core.config.tree import Recipe
from dreamer_core.models import player
from dreamer_core.models.actions import encode
from dreamer_core.models.player import PlayerState
from dreamer_core.rng import ModeSampler, RandomSampler, make_generator
from dreamer_core.types import ActionSpec, State
from tests.factories import ACTIONS, CONTINUOUS, RECIPES, opinionated, random_rows, tiny_agent

recipes = pytest.mark.parametrize("recipe", RECIPES)


@recipes
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_the_player_remembers_the_action_that_it_hands_out(recipe: Recipe, action: ActionSpec) -> None:
    agent = opinionated(tiny_agent(recipe, action=action))
    state = player.start(agent, 4)
    for moment in range(3):
        rows = random_rows(agent, 4, seed=moment, is_first=moment == 0)
        played = player.play(agent, state, rows, RandomSampler(make_generator(moment)))
        state = played.state
        assert played.action.shape == (4, action.stored_width)
        assert torch.equal(encode(played.action, action), state.action)
        assert not state.belief.deter.requires_grad


@recipes
def test_what_is_played_lies_within_the_range_of_the_environment(recipe: Recipe) -> None:
    agent = opinionated(tiny_agent(recipe, action=CONTINUOUS))
    played = player.play(agent, player.start(agent, 200), random_rows(agent, 200), RandomSampler(make_generator(0)))
    assert played.action.abs().max() <= 1
    assert played.action.abs().max() > 0.9


@recipes
def test_a_first_row_makes_the_player_forget(recipe: Recipe) -> None:
    agent = opinionated(tiny_agent(recipe))
    empty = player.start(agent, 2)
    full = PlayerState(State(empty.belief.deter + 0.7, empty.belief.stoch.roll(1, -1)), empty.action + 0.5)
    for is_first in (True, False):
        rows = random_rows(agent, 2, is_first=is_first)
        one, other = (player.play(agent, state, rows, ModeSampler()).state.belief for state in (empty, full))
        assert torch.equal(one.deter, other.deter) is is_first


@recipes
def test_greedy_play_repeats_itself(recipe: Recipe) -> None:
    agent = opinionated(tiny_agent(recipe))
    state, rows = player.start(agent, 5), random_rows(agent, 5)
    first, again = (player.play(agent, state, rows, ModeSampler()) for _ in range(2))
    assert torch.equal(first.action, again.action)
    assert torch.equal(first.state.belief.stoch, again.state.belief.stoch)


def test_watching_somebody_else_act_keeps_their_action() -> None:
    agent = tiny_agent("nature")
    state, rows = player.start(agent, 2), random_rows(agent, 2)
    watched = player.observe_only(agent, state, rows, torch.tensor([[2], [0]]), ModeSampler())
    played = player.play(agent, state, rows, ModeSampler())
    assert watched.action.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert torch.equal(watched.belief.deter, played.state.belief.deter)
