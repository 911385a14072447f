"""The closed forms, against torch.distributions and against numbers checked by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Categorical, kl_divergence

from dreamer_core.models.distributions import (
    SYMLOG_TOLERANCE,
    bernoulli_loss,
    categorical_entropy,
    categorical_kl,
    log_probs,
    sample_one_hot,
    squared_error,
    symexp,
    symlog,
    symlog_squared_error,
)
from dreamer_core.rng import ModeSampler, RandomSampler, make_generator


@given(st.floats(min_value=-1e6, max_value=1e6, width=32))
def test_symexp_undoes_symlog(x: float) -> None:
    value = torch.tensor(x, dtype=torch.float64)
    assert symexp(symlog(value)).item() == pytest.approx(x, rel=1e-9, abs=1e-300)


def test_symlog_by_hand() -> None:
    x = torch.tensor([0.0, math.e - 1, 1 - math.e, math.e**3 - 1], dtype=torch.float64)
    torch.testing.assert_close(symlog(x), torch.tensor([0.0, 1.0, -1.0, 3.0], dtype=torch.float64))
    assert symlog(torch.tensor([1e-20, -1e-20])).tolist() == pytest.approx([1e-20, -1e-20])  # nothing small is lost


@pytest.mark.parametrize("classes", [2, 5, 32])
def test_unimix_gives_every_class_its_share_once(classes: int) -> None:
    logits = 30 * torch.randn((50, classes), generator=make_generator(0))
    probs = log_probs(logits, 0.01).exp()
    torch.testing.assert_close(probs, 0.99 * logits.softmax(-1) + 0.01 / classes)
    assert probs.min().item() == pytest.approx(0.01 / classes, rel=1e-3)
    torch.testing.assert_close(probs.sum(-1), torch.ones(50))


def test_without_unimix_it_is_a_plain_log_softmax() -> None:
    logits = torch.randn((4, 3), generator=make_generator(0))
    assert torch.equal(log_probs(logits, 0.0), logits.log_softmax(-1))


def test_low_precision_logits_give_float32_probabilities() -> None:
    assert log_probs(torch.zeros(2, 4, dtype=torch.bfloat16), 0.01).dtype == torch.float32
    assert log_probs(torch.zeros(2, 4, dtype=torch.bfloat16), 0.0).dtype == torch.float32


def test_kl_and_entropy_are_summed_over_the_variables() -> None:
    generator = make_generator(0)
    posterior, prior = (log_probs(torch.randn((3, 2, 6, 5), generator=generator), 0.01) for _ in range(2))
    kl = kl_divergence(Categorical(logits=posterior), Categorical(logits=prior)).sum(-1)
    assert kl.shape == (3, 2)
    torch.testing.assert_close(categorical_kl(posterior, prior), kl)
    torch.testing.assert_close(categorical_entropy(prior), Categorical(logits=prior).entropy().sum(-1))


def test_kl_by_hand() -> None:
    posterior = torch.tensor([[0.5, 0.5], [1.0, 1e-30]]).log()
    prior = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    first = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    assert categorical_kl(posterior, prior).item() == pytest.approx(first + math.log(2), rel=1e-6)
    assert categorical_kl(posterior, posterior).item() == 0.0


def test_a_soft_target_has_a_cross_entropy_too() -> None:
    logits, target = torch.tensor([0.0, 2.0, -2.0, 2.0]), torch.tensor([1.0, 1.0, 1.0, 0.25])
    p = torch.sigmoid(logits)
    torch.testing.assert_close(bernoulli_loss(logits, target), -(target * p.log() + (1 - target) * (1 - p).log()))
    assert torch.isfinite(bernoulli_loss(torch.tensor([1000.0, -1000.0]), torch.tensor([0.0, 1.0]))).all()


def test_squared_errors_are_summed_over_the_event() -> None:
    prediction = torch.ones(2, 3, 1, 2, 2)
    assert squared_error(prediction, torch.zeros_like(prediction), 3).tolist() == [[4.0] * 3] * 2


def test_a_vector_is_compared_with_the_symlog_of_its_target() -> None:
    prediction, target = torch.tensor([[1.0, 0.0]]), torch.tensor([[math.e - 1, 1 - math.e]])
    assert symlog_squared_error(prediction, target).item() == pytest.approx(1.0)


def test_an_error_below_the_tolerance_counts_as_none() -> None:
    prediction = torch.tensor([[0.9e-4, 1.1e-4]])  # squared: just below and just above 1e-8
    loss = symlog_squared_error(prediction, torch.zeros(1, 2), SYMLOG_TOLERANCE)
    assert loss.item() == pytest.approx(1.21e-8)
    assert symlog_squared_error(prediction, torch.zeros(1, 2)).item() == pytest.approx(2.02e-8)


@pytest.mark.parametrize("sampler", [ModeSampler(), RandomSampler(make_generator(0))], ids=["mode", "random"])
def test_the_gradient_of_a_sample_is_that_of_its_probabilities(sampler: ModeSampler | RandomSampler) -> None:
    logits = torch.randn((7, 4), generator=make_generator(1), requires_grad=True)
    upstream = torch.randn((7, 4), generator=make_generator(2))
    sample = sample_one_hot(log_probs(logits, 0.01), sampler)
    torch.testing.assert_close(sample.max(-1).values, torch.ones(7))
    torch.testing.assert_close(sample.sum(-1), torch.ones(7))
    (through_sample,) = torch.autograd.grad((sample * upstream).sum(), logits)
    (through_probs,) = torch.autograd.grad((log_probs(logits, 0.01).exp() * upstream).sum(), logits)
    torch.testing.assert_close(through_sample, through_probs)


def test_a_sample_without_gradients_is_exactly_one_hot() -> None:
    sample = sample_one_hot(log_probs(torch.randn((50, 4), generator=make_generator(1)), 0.01), ModeSampler())
    assert set(sample.flatten().tolist()) == {0.0, 1.0}
