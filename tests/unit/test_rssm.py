"""What the recurrent state carries from moment to moment, what it forgets, and where gradients go. Both forms."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from dreamer_core.config.tree import Recipe
from dreamer_core.models.rssm import RSSM, Observed, gated_update
from dreamer_core.rng import ModeSampler, RandomSampler, make_generator, randn
from dreamer_core.types import State
from tests.factories import RECIPES, tiny_agent

T, B, A = 5, 3, 3
recipes = pytest.mark.parametrize("recipe", RECIPES)


class Past(NamedTuple):
    """What the RSSM is given."""

    embedding: Tensor
    action: Tensor
    is_first: Tensor


def make_rssm(recipe: Recipe, *words: str) -> RSSM:
    """With biases and first states that are not zero, so that nothing is equal by accident."""
    rssm = tiny_agent(recipe, *words).world_model.rssm
    generator = make_generator(5)
    with torch.no_grad():
        for parameter in rssm.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * randn(tuple(parameter.shape), generator))
    return rssm


def make_past(rssm: RSSM, first: int | None = None, seed: int = 0) -> Past:
    """Random moments; row `first` starts an episode everywhere."""
    generator = make_generator(seed)
    is_first = torch.zeros(T, B, dtype=torch.bool)
    if first is not None:
        is_first[first] = True
    return Past(randn((T, B, 8), generator), randn((T, B, A), generator).clamp(-1, 1), is_first)


def make_start(seed: int) -> State:
    generator = make_generator(seed)
    stoch = torch.nn.functional.one_hot(torch.randint(4, (B, 4), generator=generator), 4).float()
    return State(randn((B, 16), generator).tanh(), stoch)


def observe(rssm: RSSM, past: Past, start: State | None = None) -> Observed:
    return rssm.observe(past.embedding, past.action, past.is_first, start, ModeSampler())


@recipes
def test_a_filtered_sequence_has_a_state_and_two_distributions_per_moment(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    observed = rssm.observe(*make_past(rssm), None, RandomSampler(make_generator(0)))
    assert observed.states.deter.shape == (T, B, 16)
    assert observed.states.stoch.shape == observed.posterior.shape == observed.prior.shape == (T, B, 4, 4)
    torch.testing.assert_close(observed.states.stoch.sum(-1), torch.ones(T, B, 4))
    assert observed.states.features.shape == (T, B, 16 + 4 * 4)
    for log_probs in (observed.posterior, observed.prior):
        torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(T, B, 4))
        assert log_probs.exp().min() >= 0.999 * 0.01 / 4  # unimix


@recipes
def test_unimix_is_applied_exactly_once(recipe: Recipe) -> None:
    rssm = make_rssm(recipe, "algo.unimix=0.2")
    deter = randn((B, 16), make_generator(0))
    plain = rssm.prior_logits(deter).unflatten(-1, (4, 4)).softmax(-1)
    torch.testing.assert_close(rssm.prior(deter).exp(), 0.8 * plain + 0.2 / 4)


@recipes
def test_the_first_row_of_an_episode_forgets_everything_before_it(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    one, other = make_past(rssm, first=2, seed=0), make_past(rssm, first=2, seed=1)
    later = slice(2, None)
    # The same from row 2 on, but for the action that led to it: it belongs to the past.
    same = Past(*(torch.cat([past[:2], mine[later]]) for past, mine in zip(other, one, strict=True)))
    same.action[2] = other.action[2]
    first, second = observe(rssm, one, make_start(1)), observe(rssm, same, make_start(2))
    assert not torch.equal(first.states.deter[1], second.states.deter[1])
    assert torch.equal(first.states.deter[later], second.states.deter[later])
    assert torch.equal(first.states.stoch[later], second.states.stoch[later])
    assert torch.equal(first.posterior[later], second.posterior[later])


@recipes
def test_only_the_environment_that_starts_anew_forgets(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past = make_past(rssm)
    past.is_first[2, 1] = True
    one, other = observe(rssm, past, make_start(1)).states.deter, observe(rssm, past, make_start(2)).states.deter
    assert torch.equal(one[2:, 1], other[2:, 1])
    assert (one[2:, [0, 2]] != other[2:, [0, 2]]).any(-1).all()


@recipes
def test_an_episode_starts_from_the_initial_state_whatever_the_start_holds(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past = make_past(rssm, first=0)
    from_nothing = observe(rssm, past)
    assert torch.equal(from_nothing.states.deter, observe(rssm, past, make_start(1)).states.deter)
    fresh = observe(rssm, past._replace(is_first=torch.zeros_like(past.is_first)), rssm.initial(B))
    assert not torch.equal(from_nothing.states.deter[0], fresh.states.deter[0])  # that one saw the action before it


@recipes
def test_without_a_first_row_the_start_and_the_actions_matter(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past = make_past(rssm)
    deter = observe(rssm, past, make_start(1)).states.deter
    assert not torch.equal(deter[-1], observe(rssm, past, make_start(2)).states.deter[-1])
    acted = past._replace(action=torch.cat([past.action[:1] + 0.5, past.action[1:]]).clamp(-1, 1))
    assert not torch.equal(deter[0], observe(rssm, acted, make_start(1)).states.deter[0])


@recipes
def test_gradients_flow_back_through_time_but_not_across_an_episode(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past = make_past(rssm, first=3)
    embedding = past.embedding.requires_grad_()
    states = observe(rssm, past._replace(embedding=embedding), make_start(1)).states
    (within,) = torch.autograd.grad(states.deter[2].sum(), embedding, retain_graph=True)
    assert (within[:2].abs().sum((1, 2)) > 0).all()
    assert within[2:].abs().sum() == 0  # deter knows the past only; what is seen now is in stoch
    (across,) = torch.autograd.grad(states.deter[4].sum(), embedding)
    assert across[:3].abs().sum() == 0
    assert across[3].abs().sum() > 0


@recipes
def test_filtering_moment_by_moment_is_observing_the_sequence(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past, start = make_past(rssm, first=2), make_start(1)
    observed, state = observe(rssm, past, start), start
    for t in range(T):
        state = rssm.filter(state, past.embedding[t], past.action[t], past.is_first[t], ModeSampler())
        torch.testing.assert_close(state.deter, observed.states.deter[t], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(state.stoch, observed.states.stoch[t], rtol=1e-5, atol=1e-6)


@recipes
def test_imagining_is_advancing_and_trusting_the_prior(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past, start = make_past(rssm), make_start(1)
    observed = observe(rssm, past, start)
    imagined = rssm.imagine_step(start, past.action[0], ModeSampler())
    torch.testing.assert_close(imagined.deter, observed.states.deter[0], rtol=1e-5, atol=1e-6)
    assert torch.equal(imagined.stoch.argmax(-1), observed.prior[0].argmax(-1))


def test_a_decoupled_posterior_sees_the_observation_only() -> None:
    past = make_past(make_rssm("sheeprl"))
    for word, is_equal in (("world_model.decoupled_rssm=true", True), ("world_model.decoupled_rssm=false", False)):
        rssm = make_rssm("sheeprl", word)
        one, other = observe(rssm, past, make_start(1)), observe(rssm, past, make_start(2))
        assert torch.equal(one.posterior, other.posterior) is is_equal
        assert not torch.equal(one.prior, other.prior)


def test_nature_starts_from_zeros() -> None:
    state = make_rssm("nature").initial(2)
    assert state.deter.shape == (2, 16)
    assert state.stoch.shape == (2, 4, 4)
    assert state.deter.abs().sum() == state.stoch.abs().sum() == 0


def test_sheeprl_starts_from_a_learned_state_and_its_most_likely_latent() -> None:
    rssm = make_rssm("sheeprl")
    first = dict(rssm.named_parameters())["first_deter"]
    state = rssm.initial(2)
    torch.testing.assert_close(state.deter, torch.tanh(first).expand(2, -1))
    assert torch.equal(state.stoch.argmax(-1), rssm.prior(state.deter).argmax(-1))
    assert set(state.stoch.flatten().tolist()) == {0.0, 1.0}
    observe(rssm, make_past(rssm, first=0)).states.deter.sum().backward()
    assert first.grad is not None
    assert first.grad.abs().sum() > 0


def test_a_first_state_that_is_not_learned_is_zero_and_no_parameter() -> None:
    rssm = make_rssm("sheeprl", "world_model.learnable_initial_recurrent_state=false")
    assert "first_deter" not in dict(rssm.named_parameters())
    assert rssm.initial(2).deter.abs().sum() == 0


@recipes
def test_recurrent_maths_stays_in_float32_under_autocast(recipe: Recipe) -> None:
    rssm = make_rssm(recipe)
    past = make_past(rssm, first=2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        observed = observe(rssm, past, make_start(1))
        imagined = rssm.imagine_step(make_start(1), past.action[0], ModeSampler())
    for tensor in (*observed.states, observed.posterior, observed.prior, *imagined):
        assert tensor.dtype == torch.float32
        assert torch.isfinite(tensor).all()
    exact = observe(rssm, past, make_start(1)).states.deter[0]
    torch.testing.assert_close(observed.states.deter[0], exact, rtol=0, atol=0.05)


def test_the_gates_are_float32_even_from_low_precision() -> None:
    gates = [torch.full((1, 1), x, dtype=torch.bfloat16) for x in (0.0, 2.0, 1.0)]
    # reset sigmoid(0) = .5, candidate tanh(.5 * 2), update sigmoid(1 - 1) = .5
    updated = gated_update(torch.full((1, 1), 0.25), *gates)
    assert updated.dtype == torch.float32
    assert updated.item() == pytest.approx(0.5 * 0.761594 + 0.5 * 0.25, rel=1e-5)


def test_nature_reads_actions_no_larger_than_one() -> None:
    rssm = make_rssm("nature")
    big, one = torch.tensor([[5.0, -3.0, 0.5]]), torch.tensor([[1.0, -1.0, 0.5]])
    assert torch.equal(rssm.embed_actions(big), rssm.embed_actions(one))
