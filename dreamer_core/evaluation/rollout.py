"""Playing the cohort with an agent that does not learn."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dreamer_core.config.checks import MAX_SEED, at_least, at_most
from dreamer_core.config.tree import Config
from dreamer_core.envs.registry import make_env
from dreamer_core.evaluation.cohort import CohortEpisode, SeparateSampler, stack_rows, to_numpy
from dreamer_core.models.agent import Agent
from dreamer_core.models.player import play, start
from dreamer_core.rng import ModeSampler, Sampler
from dreamer_core.types import ActionSpec

SIDE_BY_SIDE = 32  # episodes played in one batch at most
CONTINUOUS_BINS = 10  # of the histogram of a continuous action, equal parts of [-1, 1]

Histogram = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class EpisodeStep:
    """One step of one episode, told as it happens."""

    index: int  # of the episode
    t: int  # 1 at the first step
    action: NDArray[np.generic]  # (stored width,)
    reward: float  # that the action earned
    terminated: bool
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    index: int
    seed: int
    return_: float
    length: int  # decisions of the agent
    terminated: bool
    truncated: bool
    success: bool
    actions: Histogram  # how often each choice was made, for each head (or continuous dimension)


OnStep = Callable[[EpisodeStep], None]


def evaluate(
    agent: Agent,
    config: Config,
    *,
    episodes: int,
    greedy: bool,
    seed_base: int,
    on_step: OnStep | None = None,
    side_by_side: int = SIDE_BY_SIDE,
) -> list[EpisodeResult]:
    """Episodes 0 to `episodes` - 1 of the cohort, in that order.

    Greedy takes the most likely belief and the most likely action, so it gives the same numbers every time. Otherwise
    both are sampled, by a generator of each episode's own. No other random state is read or moved. How many are played
    side by side changes no seed and no draw, only the last digits of sums: one size gives equal bits every time.
    """
    at_least(1, episodes=episodes, side_by_side=side_by_side)
    at_least(0, seed_base=seed_base)
    at_most(MAX_SEED, seed_base=seed_base)
    results: list[EpisodeResult] = []
    with ExitStack() as stack:
        stack.enter_context(_not_training(agent))
        places = range(min(episodes, side_by_side))
        envs = [stack.enter_context(closing(make_env(config.env))) for _ in places]
        for first in range(0, episodes, len(envs)):
            indices = range(first, min(first + len(envs), episodes))
            batch = [
                CohortEpisode(env, index=index, seed_base=seed_base)
                for env, index in zip(envs, indices, strict=False)  # the last batch may be a smaller one
            ]
            histograms = _play_batch(agent, batch, _sampler(agent, batch, greedy), on_step)
            results += [
                _report(episode, histogram, config.env.success_return)
                for episode, histogram in zip(batch, histograms, strict=True)
            ]
    return results


def action_counts(actions: NDArray[np.generic], spec: ActionSpec) -> Histogram:
    """Of actions (T, stored width): one histogram per discrete head or continuous dimension."""
    if spec.is_continuous:
        edges = np.linspace(-1, 1, CONTINUOUS_BINS + 1)
        return tuple(tuple(np.histogram(column, edges)[0].tolist()) for column in actions.T)
    return tuple(
        tuple(np.bincount(column.astype(np.int64), minlength=size).tolist())
        for column, size in zip(actions.T, spec.sizes, strict=True)
    )


def _play_batch(
    agent: Agent, batch: Sequence[CohortEpisode], sampler: Sampler, on_step: OnStep | None
) -> list[Histogram]:
    """To the end of every episode. Those that are over keep their place in the batch, and nobody asks them."""
    spec = agent.spaces.action
    state = start(agent, len(batch))
    taken: list[list[NDArray[np.generic]]] = [[] for _ in batch]
    while not all(episode.is_over for episode in batch):
        played = play(agent, state, stack_rows(batch), sampler)
        state = played.state
        for episode, past, action in zip(batch, taken, to_numpy(played.action, spec), strict=True):
            if not episode.is_over:
                episode.advance(action)
                past.append(action)
                if on_step is not None:
                    on_step(_told(episode, action))
    return [action_counts(np.stack(past), spec) for past in taken]


def _sampler(agent: Agent, batch: Sequence[CohortEpisode], greedy: bool) -> Sampler:
    if greedy:
        return ModeSampler()
    return SeparateSampler([episode.seed for episode in batch], next(agent.parameters()).device)


def _told(episode: CohortEpisode, action: NDArray[np.generic]) -> EpisodeStep:
    moment = episode.moment
    return EpisodeStep(
        index=episode.index,
        t=episode.length,
        action=action,
        reward=moment.reward,
        terminated=moment.terminated,
        truncated=moment.truncated,
    )


def _report(episode: CohortEpisode, actions: Histogram, success_return: float | None) -> EpisodeResult:
    moment = episode.moment
    return EpisodeResult(
        index=episode.index,
        seed=episode.seed,
        return_=episode.return_,
        length=episode.length,
        terminated=moment.terminated,
        truncated=moment.truncated,
        success=moment.terminated if success_return is None else episode.return_ >= success_return,
        actions=actions,
    )


@contextmanager
def _not_training(agent: Agent) -> Iterator[None]:
    was_training = agent.training
    agent.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        agent.train(was_training)
