"""A dream: an episode as it was, as it is remembered, and as it is imagined without looking."""

import pytest
import torch

from dreamer_core.config import Config
from dreamer_core.errors import ConfigError
from dreamer_core.models.agent import Agent
from dreamer_core.models.packed import unpack2
from dreamer_core.rng import ModeSampler, make_generator
from dreamer_core.types import State
from dreamer_core.viz.dream import Clip, dream_clip, imagine_open_loop
from tests.unit.tiny_agents import opinionated, tiny_agent


def dream(env_id: str, *, seed: int = 3, context: int = 4, horizon: int = 20, draws: int = 0) -> Clip:
    agent, config = tiny_agent(env_id)
    return dream_clip(agent, config, seed, context, horizon, make_generator(draws))


@pytest.fixture(scope="module")
def counting() -> tuple[Agent, Config]:
    return tiny_agent("dreamgate/Counting-v0")


def test_real_is_what_the_environment_showed() -> None:
    state = dream("dreamgate/Counting-v0").views["state"]
    # (step, episode number, last action): nine moments of the episode with seed 3.
    assert state.real[:, 0].tolist() == list(range(9))
    assert set(state.real[:, 1].tolist()) == {3}
    assert state.real[0, 2] == -1


def test_the_dream_begins_after_the_context() -> None:
    state = dream("dreamgate/Counting-v0", context=4).views["state"]
    same = (state.imagined == state.reconstructed).all(1)
    assert same[:4].all()
    assert not same[4:].any()


def test_a_clip_ends_with_the_horizon_or_with_the_episode() -> None:
    assert dream("dreamgate/Counting-v0", context=4, horizon=3).length == 7
    assert dream("dreamgate/Counting-v0", context=4, horizon=5).length == 9
    assert dream("dreamgate/Counting-v0", context=4, horizon=50).length == 9


def test_a_context_as_long_as_the_episode_leaves_nothing_to_dream() -> None:
    assert dream("dreamgate/Counting-v0", context=8).length == 9
    with pytest.raises(ConfigError, match="must be below the 9 moments of the episode of seed 3, got 9"):
        dream("dreamgate/Counting-v0", context=9)


@pytest.mark.parametrize(("seed", "context", "horizon"), [(-1, 4, 4), (0, 0, 4), (0, 4, 0)])
def test_impossible_lengths_are_refused(seed: int, context: int, horizon: int) -> None:
    with pytest.raises(ConfigError, match="must be at least"):
        dream("dreamgate/Counting-v0", seed=seed, context=context, horizon=horizon)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "dreamgate/CountingMulti-v0", "dreamgate/CountingContinuous-v0"])
def test_the_same_draws_give_the_same_dream(env_id: str) -> None:
    first, second, third = (dream(env_id, draws=draws).views["state"] for draws in (0, 0, 1))
    assert torch.equal(first.imagined, second.imagined)
    assert first.imagined.shape != third.imagined.shape or not torch.equal(first.imagined, third.imagined)


def test_packed_screens_are_unpacked() -> None:
    view = dream("dreamgate/CountingPacked2-v0").views["packed2"]
    assert view.real.shape == view.imagined.shape == (9, 1, 72, 80)
    # The lowest third of the screen at moment 0 is the byte 255: every shade is 3, which is 1 of 0..1.
    assert view.real[0, 0, -1].eq(1).all()
    # The topmost band counts the moments; 2 is one pixel of shade 2 and three of shade 0.
    expected = unpack2(torch.tensor([2], dtype=torch.uint8)) / 3
    assert view.real[2, 0, 0, :4].tolist() == expected.tolist()


def test_pictures_are_between_zero_and_one() -> None:
    view = dream("dreamgate/CountingPixels-v0").views["rgb"]
    for images in (view.real, view.reconstructed, view.imagined, view.error):
        assert images.shape == (9, 3, 64, 64)
        assert 0 <= images.min() <= images.max() <= 1


def test_the_error_is_the_distance_to_the_dream() -> None:
    view = dream("dreamgate/Counting-v0").views["state"]
    assert torch.equal(view.error, (view.imagined - view.real).abs())


def imagined(agent: Agent, beliefs: State, actions: torch.Tensor) -> torch.Tensor:
    return imagine_open_loop(agent, beliefs, actions, 2, ModeSampler()).deter[:, 0]


def random_past(agent: Agent) -> tuple[State, torch.Tensor]:
    """Five moments of beliefs and actions."""
    fresh = agent.world_model.rssm.initial(1)
    deter = torch.randn(5, *fresh.deter.shape, generator=make_generator(0))
    stoch = fresh.stoch.detach().expand(5, *fresh.stoch.shape).clone()
    return State(deter, stoch), torch.eye(3)[[0, 1, 2, 0, 1]][:, None]


def test_the_dream_never_looks(counting: tuple[Agent, Config]) -> None:
    agent = opinionated(counting[0])
    beliefs, actions = random_past(agent)
    expected = imagined(agent, beliefs, actions)
    later = State(beliefs.deter.clone(), beliefs.stoch)
    later.deter[2:] = 7.0
    assert torch.equal(imagined(agent, later, actions), expected)
    earlier = State(beliefs.deter.clone(), beliefs.stoch)
    earlier.deter[1] = 0.5
    assert not torch.equal(imagined(agent, earlier, actions)[2], expected[2])


def test_an_action_changes_the_moment_after_it(counting: tuple[Agent, Config]) -> None:
    agent = opinionated(counting[0])
    beliefs, actions = random_past(agent)
    expected = imagined(agent, beliefs, actions)
    changed_at = []
    for t in range(5):
        other = actions.clone()
        other[t] = torch.eye(3)[2] if t != 2 else torch.eye(3)[0]
        differs = (imagined(agent, beliefs, other) != expected).any(1)
        changed_at.append(differs.nonzero().flatten().tolist()[:1])
    # The action of moment 0 is part of the context, and the last one leads nowhere.
    assert changed_at == [[], [2], [3], [4], []]
