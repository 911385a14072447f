"""Two-hot, both ways, against a slow version that writes out every bin."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dreamer_core.models.distributions import symexp, symlog
from dreamer_core.models.twohot import (
    LIMIT,
    SymexpTwoHot,
    SymlogTwoHot,
    TwoHot,
    symexp_bins,
    two_hot_loss,
    two_hot_weights,
)
from dreamer_core.rng import make_generator

FORMS: dict[str, type[SymlogTwoHot] | type[SymexpTwoHot]] = {"sheeprl": SymlogTwoHot, "nature": SymexpTwoHot}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
counts = pytest.mark.parametrize("count", [3, 41, 255])


def dense(target: float, bins: list[float]) -> list[float]:
    """The weight of every bin: linear between the two around the target, all on the end beyond it."""
    weights = [0.0] * len(bins)
    if target <= bins[0]:
        weights[0] = 1.0
    elif target >= bins[-1]:
        weights[-1] = 1.0
    else:
        above = next(index for index, value in enumerate(bins) if value > target)
        span = bins[above] - bins[above - 1]
        weights[above] = (target - bins[above - 1]) / span
        weights[above - 1] = (bins[above] - target) / span
    return weights


def written_out(target: Tensor, bins: Tensor) -> Tensor:
    """The weights that the fast version means, as a dense row per target."""
    below, above, weight_above = two_hot_weights(target, bins)
    rows = torch.zeros(len(target), len(bins))
    rows.scatter_add_(1, below[:, None], 1 - weight_above[:, None])
    return rows.scatter_add_(1, above[:, None], weight_above[:, None])


# Inside, exactly on a bin, at the ends and beyond them.
TARGETS = torch.tensor([0.0, 0.3, -0.3, 1.0, -7.77, 19.99, 20.0, 25.0, -20.0, -1e9, 1e9])


def test_a_target_between_two_bins_is_shared_by_nearness() -> None:
    below, above, weight_above = two_hot_weights(torch.tensor([2.5, 1.0, 9.0, -9.0]), torch.tensor([0.0, 1.0, 3.0]))
    assert below.tolist()[:2] == [1, 1]
    assert above.tolist()[:2] == [2, 2]
    assert weight_above.tolist()[:2] == [0.75, 0.0]  # exactly on a bin: all of it there
    assert below.tolist()[2:] == above.tolist()[2:] == [2, 0]  # beyond an end: all of it on the end


@counts
def test_the_weights_are_those_of_the_slow_version(count: int) -> None:
    for bins in (torch.linspace(-LIMIT, LIMIT, count), symexp_bins(count)):
        targets = torch.cat([TARGETS, bins, (bins[1:] + bins[:-1]) / 2])
        expected = torch.tensor([dense(target, bins.tolist()) for target in targets.tolist()])
        torch.testing.assert_close(written_out(targets, bins), expected, rtol=1e-5, atol=1e-5)


@counts
def test_the_loss_is_the_cross_entropy_with_the_slow_version(count: int) -> None:
    bins = torch.linspace(-LIMIT, LIMIT, count)
    logits = 5 * torch.randn((len(TARGETS), count), generator=make_generator(0))
    weights = torch.tensor([dense(target, bins.tolist()) for target in TARGETS.tolist()])
    expected = -(weights * logits.log_softmax(-1)).sum(-1)
    torch.testing.assert_close(two_hot_loss(logits, TARGETS, bins), expected, rtol=1e-5, atol=1e-4)


@forms
def test_the_gradient_of_two_losses_at_once_is_that_of_their_dense_sum(form: type[TwoHot]) -> None:
    two_hot: TwoHot = form(41)  # type: ignore[call-arg]
    logits = torch.randn((len(TARGETS), 41), generator=make_generator(0)).requires_grad_()
    others = TARGETS.flip(0)
    ours = two_hot.loss(logits, TARGETS, (others, 0.25))
    position = symlog if form is SymlogTwoHot else lambda target: target
    weights = written_out(position(TARGETS), two_hot.bins) + 0.25 * written_out(position(others), two_hot.bins)
    theirs = -(weights * logits.log_softmax(-1)).sum(-1)
    torch.testing.assert_close(ours, theirs)
    upstream = torch.arange(float(len(TARGETS)))
    (found,), (expected,) = (torch.autograd.grad(loss, logits, upstream) for loss in (ours, theirs))
    torch.testing.assert_close(found, expected)


@forms
@settings(deadline=None)
@given(value=st.floats(min_value=-1e5, max_value=1e5, width=32))
def test_encoding_a_value_and_taking_the_mean_gives_it_back(form: type[TwoHot], value: float) -> None:
    two_hot = form(255)  # type: ignore[call-arg]
    symlogged = torch.tensor([math.copysign(math.log1p(abs(value)), value)])
    target = torch.tensor([value]) if form is SymexpTwoHot else symlogged
    logits = written_out(target, two_hot.bins).clamp(min=1e-30).log()
    assert two_hot.mean(logits).item() == pytest.approx(value, rel=2e-4, abs=1e-4)


@forms
def test_learning_on_one_target_ends_at_that_target(form: type[TwoHot]) -> None:
    two_hot: TwoHot = form(41)  # type: ignore[call-arg]
    logits, target = torch.zeros(3, 41, requires_grad=True), torch.tensor([-3.0, 0.5, 100.0])
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(200):
        optimizer.zero_grad()
        two_hot.loss(logits, target).sum().backward()
        optimizer.step()
    torch.testing.assert_close(two_hot.mean(logits.detach()), target, rtol=0.05, atol=0.05)


def test_the_bins_of_sheeprl_are_even_in_symlog_space() -> None:
    bins = SymlogTwoHot(255).bins
    assert torch.equal(bins, torch.linspace(-20, 20, 255))
    assert SymlogTwoHot(41).bins.tolist() == [float(value) for value in range(-20, 21)]


def test_the_bins_of_nature_are_symmetric_and_end_at_symexp_of_20() -> None:
    for count in (2, 3, 4, 41, 255):
        bins = symexp_bins(count)
        assert len(bins) == count
        assert torch.equal(bins, -bins.flip(0))
        assert bins[-1].item() == pytest.approx(math.exp(20) - 1)
        assert (bins.diff() >= 0).all()
    torch.testing.assert_close(symexp_bins(41), symexp(torch.arange(-20.0, 21.0)))


@counts
def test_zero_logits_mean_exactly_zero_for_nature(count: int) -> None:
    assert SymexpTwoHot(count).mean(torch.zeros(5, count)).tolist() == [0.0] * 5
    assert SymexpTwoHot(count + 1).mean(torch.zeros(1, count + 1)).tolist() == [0.0]


def test_zero_logits_mean_nearly_zero_for_sheeprl() -> None:
    assert abs(SymlogTwoHot(255).mean(torch.zeros(1, 255)).item()) < 1e-6


def test_the_mean_is_taken_in_symlog_space_by_sheeprl_and_in_raw_space_by_nature() -> None:
    logits = torch.full((1, 41), -1e9)
    logits[0, 20] = logits[0, 22] = 0.0  # half on 0, half on symlog 2
    assert SymlogTwoHot(41).mean(logits).item() == pytest.approx(math.e - 1, rel=1e-6)
    assert SymexpTwoHot(41).mean(logits).item() == pytest.approx((math.e**2 - 1) / 2, rel=1e-6)


@forms
def test_no_gradient_reaches_the_target(form: type[TwoHot]) -> None:
    target = torch.tensor([1.0], requires_grad=True)
    loss = form(41).loss(torch.zeros(1, 41, requires_grad=True), target)  # type: ignore[call-arg]
    loss.sum().backward()
    assert target.grad is None


@forms
def test_a_target_that_is_not_a_number_makes_a_loss_that_is_not_one(form: type[TwoHot]) -> None:
    loss = form(41).loss(torch.zeros(2, 41), torch.tensor([math.nan, 1.0]))  # type: ignore[call-arg]
    assert loss.isnan().tolist() == [True, False]


@forms
def test_low_precision_logits_are_read_in_float32(form: type[TwoHot]) -> None:
    two_hot: TwoHot = form(255)  # type: ignore[call-arg]
    logits = torch.zeros(2, 3, 255, dtype=torch.bfloat16)
    assert two_hot.mean(logits).dtype == two_hot.loss(logits, torch.ones(2, 3)).dtype == torch.float32
    torch.testing.assert_close(two_hot.loss(logits, torch.ones(2, 3)), torch.full((2, 3), math.log(255)))


@forms
def test_autocast_does_not_round_what_bins_mean(form: type[TwoHot]) -> None:
    two_hot: TwoHot = form(255)  # type: ignore[call-arg]
    logits = torch.randn(50, 255, generator=make_generator(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mean = two_hot.mean(logits)
    assert torch.equal(mean, two_hot.mean(logits))
