"""The fixed cohort: the same episodes for everybody, and the same numbers twice."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dreamer_core.config import Config
from dreamer_core.envs.counting import Counting
from dreamer_core.errors import ConfigError, DreamgateError
from dreamer_core.evaluation.cohort import CohortEpisode, SeparateSampler
from dreamer_core.evaluation.rollout import EpisodeResult, EpisodeStep, action_counts, evaluate
from dreamer_core.models.agent import Agent
from dreamer_core.rng import RandomSampler, make_generator
from dreamer_core.types import ActionSpec, Step
from tests.unit.tiny_agents import opinionated, tiny_agent

ACTION_KINDS = ["CartPole-v1", "dreamgate/CountingMulti-v0", "dreamgate/CountingContinuous-v0"]


@pytest.fixture(scope="module")
def cartpole() -> tuple[Agent, Config]:
    agent, config = tiny_agent("CartPole-v1")
    return opinionated(agent), config


def play_cartpole(cartpole: tuple[Agent, Config], *, greedy: bool, side_by_side: int = 4) -> list[EpisodeResult]:
    agent, config = cartpole
    return evaluate(agent, config, episodes=5, greedy=greedy, seed_base=1000, side_by_side=side_by_side)


@pytest.mark.parametrize("env_id", ACTION_KINDS)
def test_greedy_gives_the_same_bits_twice(env_id: str) -> None:
    agent, config = tiny_agent(env_id)
    first, second = (evaluate(agent, config, episodes=3, greedy=True, seed_base=7) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("env_id", ACTION_KINDS)
def test_sampling_gives_the_same_bits_twice(env_id: str) -> None:
    agent, config = tiny_agent(env_id)
    first, second = (evaluate(agent, config, episodes=3, greedy=False, seed_base=7) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("greedy", [True, False])
def test_episodes_do_not_depend_on_how_many_are_played_side_by_side(
    cartpole: tuple[Agent, Config], greedy: bool
) -> None:
    alone = play_cartpole(cartpole, greedy=greedy, side_by_side=1)
    assert alone == play_cartpole(cartpole, greedy=greedy, side_by_side=4)
    assert len({result.return_ for result in alone}) > 1


def test_episode_i_has_seed_base_plus_i(cartpole: tuple[Agent, Config]) -> None:
    results = play_cartpole(cartpole, greedy=True, side_by_side=2)
    assert [(result.index, result.seed) for result in results] == [(i, 1000 + i) for i in range(5)]


def test_a_cohort_is_the_beginning_of_a_longer_one(cartpole: tuple[Agent, Config]) -> None:
    agent, config = cartpole
    three = evaluate(agent, config, episodes=3, greedy=False, seed_base=1000)
    assert three == play_cartpole(cartpole, greedy=False)[:3]


def test_another_seed_base_is_another_cohort(cartpole: tuple[Agent, Config]) -> None:
    agent, config = cartpole
    shifted = evaluate(agent, config, episodes=4, greedy=True, seed_base=1001)
    same_worlds = play_cartpole(cartpole, greedy=True)[1:]
    assert [result.return_ for result in shifted] == [result.return_ for result in same_worlds]
    assert [result.index for result in shifted] == [0, 1, 2, 3]


def test_sampling_plays_otherwise_than_greedy(cartpole: tuple[Agent, Config]) -> None:
    assert play_cartpole(cartpole, greedy=True) != play_cartpole(cartpole, greedy=False)


def test_global_random_state_is_neither_read_nor_moved(cartpole: tuple[Agent, Config]) -> None:
    expected = play_cartpole(cartpole, greedy=False)
    with torch.random.fork_rng():
        torch.manual_seed(123)
        before = torch.get_rng_state()
        assert play_cartpole(cartpole, greedy=False) == expected
        assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("is_training", [True, False])
def test_the_agent_is_given_back_as_it_was(cartpole: tuple[Agent, Config], is_training: bool) -> None:
    agent, _ = cartpole
    weights = {name: value.clone() for name, value in agent.state_dict().items()}
    agent.train(is_training)
    play_cartpole(cartpole, greedy=False)
    assert agent.training is is_training
    assert all(torch.equal(value, weights[name]) for name, value in agent.state_dict().items())


def test_what_an_episode_came_to_is_reported() -> None:
    agent, config = tiny_agent("dreamgate/Counting-v0")
    even, odd = evaluate(agent, config, episodes=2, greedy=True, seed_base=4)
    # Eight steps each; the even episode runs out of time, the odd one comes to its end.
    assert (even.length, even.terminated, even.truncated, even.success) == (8, False, True, False)
    assert (odd.length, odd.terminated, odd.truncated, odd.success) == (8, True, False, True)
    # Rewards are 1 to 8, and a tenth of each action.
    assert even.return_ == pytest.approx(36 + 0.1 * np.dot(even.actions[0], [0, 1, 2]))
    assert sum(even.actions[0]) == 8


def test_success_is_a_return_where_the_config_says_so() -> None:
    agent, config = tiny_agent("dreamgate/Counting-v0", "env.success_return=36")
    results = evaluate(agent, config, episodes=2, greedy=True, seed_base=4)
    assert [result.success for result in results] == [True, True]
    agent, config = tiny_agent("dreamgate/Counting-v0", "env.success_return=37.7")
    results = evaluate(agent, config, episodes=2, greedy=True, seed_base=4)
    assert [result.success for result in results] == [False, False]


def test_every_step_is_told_once_and_none_after_the_end(cartpole: tuple[Agent, Config]) -> None:
    agent, config = cartpole
    told: list[EpisodeStep] = []
    results = evaluate(agent, config, episodes=3, greedy=True, seed_base=1000, on_step=told.append)
    for result in results:
        steps = [step for step in told if step.index == result.index]
        assert [step.t for step in steps] == list(range(1, result.length + 1))
        assert [step.terminated or step.truncated for step in steps] == [False] * (result.length - 1) + [True]
        assert sum(step.reward for step in steps) == result.return_


def test_the_limit_of_the_config_ends_an_episode() -> None:
    agent, config = tiny_agent("dreamgate/Counting-v0", "env.max_episode_steps=3")
    [result] = evaluate(agent, config, episodes=1, greedy=True, seed_base=5)
    assert (result.length, result.truncated, result.success) == (3, True, False)


@pytest.mark.parametrize(("episodes", "side_by_side", "seed_base"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_an_impossible_cohort_is_refused(
    cartpole: tuple[Agent, Config], episodes: int, side_by_side: int, seed_base: int
) -> None:
    agent, config = cartpole
    with pytest.raises(ConfigError, match="must be at least"):
        evaluate(agent, config, episodes=episodes, greedy=True, seed_base=seed_base, side_by_side=side_by_side)


def test_a_reward_that_is_no_number_is_an_error() -> None:
    class Broken(Counting):
        def step(self, action: NDArray[np.generic]) -> Step:
            return super().step(action)._replace(reward=float("nan"))

    episode = CohortEpisode(Broken(), index=2, seed_base=40)
    with pytest.raises(DreamgateError, match=r"episode 2 \(seed 42\).*reward nan at step 1"):
        episode.advance(np.array([0]))


def test_rows_draw_from_generators_of_their_own() -> None:
    probs = torch.full((2, 5, 4), 0.25)
    both = SeparateSampler([3, 4], torch.device("cpu")).one_hot(probs)
    second = RandomSampler(make_generator(4)).one_hot(probs[1:])
    assert torch.equal(both[1:], second)
    noise = SeparateSampler([3, 4], torch.device("cpu")).normal_noise(torch.zeros(2, 3))
    assert torch.equal(noise[:1], torch.randn(1, 3, generator=make_generator(3)))


def test_actions_are_counted_per_head() -> None:
    taken = np.array([[0, 1], [2, 1], [2, 0]])
    assert action_counts(taken, ActionSpec(kind="multi_discrete", sizes=(3, 2))) == ((1, 0, 2), (1, 2))


def test_continuous_actions_are_counted_in_ten_parts() -> None:
    taken = np.array([[-1.0], [0.05], [0.95], [1.0]], dtype=np.float32)
    assert action_counts(taken, ActionSpec(kind="continuous", sizes=(1,))) == ((1, 0, 0, 0, 0, 1, 0, 0, 0, 2),)
