"""The running range of the returns."""

import numpy as np
import pytest
import torch

from dreamer_core.config.model import MomentsConfig, PercentileConfig
from dreamer_core.models.moments import Moments
from dreamer_core.rng import make_generator, randn


def test_the_range_starts_at_zero_and_moves_by_the_decay() -> None:
    moments = Moments(MomentsConfig(decay=0.9, percentile=PercentileConfig(low=0.25, high=0.75)))
    returns = torch.tensor([[0.0, 100.0], [200.0, 400.0]])  # quartiles 75 and 250
    offset, scale = moments.update(returns)
    assert offset.item() == pytest.approx(7.5)
    assert scale.item() == pytest.approx(17.5)
    offset, scale = moments.update(returns)
    assert offset.item() == pytest.approx(0.9 * 7.5 + 7.5)
    assert scale.item() == pytest.approx(0.9 * 17.5 + 17.5)


def test_small_ranges_are_not_blown_up() -> None:
    assert Moments(MomentsConfig()).update(torch.full((5,), 3.0))[1].item() == 1.0
    assert Moments(MomentsConfig(max=4.0)).update(torch.full((5,), 3.0))[1].item() == 0.25


def test_the_percentiles_are_those_of_numpy() -> None:
    returns = randn((15, 64), make_generator(0))
    moments = Moments(MomentsConfig(decay=0.0))
    offset, scale = moments.update(returns)
    low, high = np.quantile(returns.numpy(), [0.05, 0.95])
    assert offset.item() == pytest.approx(low, rel=1e-5)
    assert scale.item() == pytest.approx(high - low, rel=1e-5)


def test_the_range_belongs_to_the_state_and_takes_no_gradient() -> None:
    moments = Moments(MomentsConfig())
    offset, scale = moments.update(torch.linspace(-50, 50, 100, requires_grad=True))
    assert not offset.requires_grad
    assert not scale.requires_grad
    assert set(moments.state_dict()) == {"low", "high"}
    other = Moments(MomentsConfig())
    other.load_state_dict(moments.state_dict())
    assert (other.low, other.high) == (moments.low, moments.high)


def test_what_was_handed_out_does_not_change_later() -> None:
    moments = Moments(MomentsConfig(decay=0.5))
    offset, scale = moments.update(torch.linspace(-50, 50, 101))
    before = (offset.item(), scale.item())
    moments.update(torch.linspace(-500, 500, 101))
    assert (offset.item(), scale.item()) == before
