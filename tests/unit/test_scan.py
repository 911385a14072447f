"""A sequence filtered by hand is what autograd makes of it step by step."""

import pytest
import torch
from torch import Tensor

from dreamer_core.models.rssm import RSSM
from dreamer_core.models.rssm_nature import NatureRSSM
from dreamer_core.models.rssm_sheeprl import SheeprlRSSM
from dreamer_core.rng import ModeSampler, make_generator
from dreamer_core.types import State
from tests.factories import output_layer, random_state, tiny_agent

T, B = 6, 3


@pytest.fixture(params=["nature", "sheeprl"])
def rssm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RSSM:
    """In float64, also where float32 is asked for, and with weights that make every gradient count."""
    monkeypatch.setattr(Tensor, "float", Tensor.double)
    found = tiny_agent(request.param).world_model.rssm.double()
    generator = make_generator(3)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return found


def test_states_posteriors_and_gradients_are_those_of_autograd(rssm: RSSM) -> None:
    inputs = arguments(rssm)
    ours = rssm._scan(*inputs)
    theirs = RSSM._scan(rssm, *inputs)
    torch.testing.assert_close((*ours[0], ours[1]), (*theirs[0], theirs[1]), rtol=1e-10, atol=1e-12)
    (deter, stoch), _, _, actions, embedded, _ = inputs
    of = [deter, stoch, actions, embedded, *read_by_the_scan(rssm)]
    found, expected = gradients(*ours, of), gradients(*theirs, of)
    assert all(gradient.abs().sum() > 0 for gradient in expected)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)


def test_the_past_before_a_first_row_gets_no_gradient(rssm: RSSM) -> None:
    inputs = arguments(rssm)
    inputs[2][0] = 0
    states, posterior = rssm._scan(*inputs)
    deter, stoch = inputs[0]
    found = gradients(states, posterior, [deter, stoch])
    assert [gradient.abs().sum().item() for gradient in found] == [0, 0]


def test_without_a_floor_a_hopeless_class_keeps_a_finite_log_probability(rssm: RSSM) -> None:
    assert isinstance(rssm, NatureRSSM | SheeprlRSSM)
    rssm.unimix = 0.0
    out = output_layer(rssm.posterior_net)
    with torch.no_grad():
        out.bias[0] = -2000  # whose exponential is 0 in every precision
    _, posterior = rssm._scan(*arguments(rssm))
    assert bool(torch.isfinite(posterior).all())


@pytest.mark.parametrize("begins", [True, False])
def test_sheeprl_learns_its_first_state_where_an_episode_begins(begins: bool) -> None:
    rssm = tiny_agent("sheeprl").world_model.rssm.double()
    assert isinstance(rssm, SheeprlRSSM)
    inputs = arguments(rssm)
    inputs[2][2, 1] = 0 if begins else 1
    states, _ = rssm._scan(*inputs)
    [found] = torch.autograd.grad(states.deter.sum(), [rssm.first_deter])
    assert bool(found.abs().sum() > 0) == begins


def read_by_the_scan(rssm: RSSM) -> list[Tensor]:
    """All weights but those of the prior, and of what is done with actions before."""
    return [p for name, p in rssm.named_parameters() if "action" not in name and "prior_net" not in name]


def arguments(rssm: RSSM) -> tuple[State, State, Tensor, Tensor, Tensor, ModeSampler]:
    assert isinstance(rssm, NatureRSSM | SheeprlRSSM)
    generator = make_generator(4)
    agent = tiny_agent("nature" if isinstance(rssm, NatureRSSM) else "sheeprl")
    start = random_state(agent, B, generator)
    start = State(*(part.double().requires_grad_() for part in start))
    keep = torch.ones(T, B, 1, dtype=torch.float64)
    keep[2, 1] = 0  # an episode that begins within the sequence
    no_action = torch.zeros(1, agent.spaces.action.width, dtype=torch.float64)
    widths = rssm.embed_actions(no_action).shape[1], len(rssm.posterior_in.weight)
    actions, embedded = (
        torch.randn(T, B, width, generator=generator, dtype=torch.float64).requires_grad_() for width in widths
    )
    return start, rssm.initial(B), keep, actions, embedded, ModeSampler()


def gradients(states: State, posterior: Tensor, of: list[Tensor]) -> list[Tensor]:
    generator = make_generator(5)
    parts = (*states, posterior)
    upstream = [torch.randn(part.shape, generator=generator, dtype=part.dtype) for part in parts]
    return list(torch.autograd.grad(parts, of, upstream, retain_graph=True))  # both have the first state in common
