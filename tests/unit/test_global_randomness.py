"""The core never touches global random state: not torch's, not numpy's, not Python's."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dreamer_core.config.tree import Recipe
from dreamer_core.models import player
from dreamer_core.models.actions import random_action
from dreamer_core.rng import RandomSampler, make_generator
from dreamer_core.types import ActionSpec, ObsSpec
from tests.factories import (
    ACTIONS,
    PIXELS,
    RECIPES,
    VECTOR,
    make_learner,
    random_batch,
    random_rows,
    tiny_agent,
)


class Poison(TorchDispatchMode):
    """Every operator that draws random numbers raises, unless it was handed a generator."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = (*args, *(kwargs or {}).values())
        if torch.Tag.nondeterministic_seeded in func.tags and not any(isinstance(x, torch.Generator) for x in given):
            raise AssertionError(f"{func} drew from the global random state")
        return func(*args, **(kwargs or {}))


@contextmanager
def no_global_randomness() -> Iterator[None]:
    """Fails when anything inside draws from global random state, or moves it."""
    before = _global_state()
    with Poison():  # type: ignore[no-untyped-call]  # torch leaves its constructor untyped
        yield
    assert _global_state() == before


def _global_state() -> tuple[object, ...]:
    legacy: Any = np.random.get_state()  # noqa: NPY002  # this is the state that must not move
    return torch.get_rng_state().tolist(), legacy[1].tolist(), legacy[2], random.getstate()


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("obs", [VECTOR, PIXELS], ids=["vector", "pixels"])
def test_building_an_agent_touches_no_global_randomness(recipe: Recipe, obs: Mapping[str, ObsSpec]) -> None:
    with no_global_randomness():
        tiny_agent(recipe, obs=obs)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
@pytest.mark.parametrize("obs", [VECTOR, PIXELS], ids=["vector", "pixels"])
def test_an_update_touches_no_global_randomness(recipe: Recipe, action: ActionSpec, obs: Mapping[str, ObsSpec]) -> None:
    agent = tiny_agent(recipe, obs=obs, action=action)
    batch = random_batch(agent, context=recipe == "nature")
    with no_global_randomness():
        make_learner(agent).update(batch, RandomSampler(make_generator(1)))


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_acting_touches_no_global_randomness(recipe: Recipe, action: ActionSpec) -> None:
    agent = tiny_agent(recipe, action=action)
    rows = random_rows(agent, 3, is_first=True)
    with no_global_randomness():
        sampler = RandomSampler(make_generator(1))
        played = player.play(agent, player.start(agent, 3), rows, sampler)
        player.observe_only(agent, played.state, rows, random_action(3, action, make_generator(2)), sampler)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: torch.rand(2),
        lambda: torch.randn_like(torch.zeros(2)),
        lambda: torch.empty(2).uniform_(),
        lambda: torch.randint(5, (2,)),
        lambda: torch.nn.Linear(2, 2),
        lambda: torch.distributions.Categorical(torch.ones(2)).sample(),
        lambda: torch.dropout(torch.ones(2), 0.5, train=True),
        lambda: np.random.rand(),  # noqa: NPY002
        lambda: random.random(),
    ],
)
def test_the_guard_notices_a_global_draw(draw: Any) -> None:
    with pytest.raises(AssertionError), no_global_randomness():
        draw()


def test_the_guard_lets_explicit_generators_draw() -> None:
    with no_global_randomness():
        torch.rand(2, generator=make_generator(0))
