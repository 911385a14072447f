"""LaProp: two steps worked out by hand, the warm-up, and the adaptive clip."""

import math
from copy import deepcopy

import pytest
import torch
from torch import Tensor

from dreamer_core.config.model import LaPropConfig
from dreamer_core.rng import make_generator, randn
from dreamer_core.training.optim import LaProp, clip_adaptively, warmup

PLAIN = LaPropConfig(lr=0.1, agc=0.0, warmup=0)


def make(config: LaPropConfig, *weights: Tensor) -> LaProp:
    return LaProp([{"params": list(weights)}], config)


def step(optimizer: LaProp, weight: Tensor, gradient: float) -> float:
    weight.grad = torch.full_like(weight, gradient)
    optimizer.step()
    return weight.detach().flatten()[0].item()


def test_two_steps_by_hand() -> None:
    weight = torch.tensor([1.0], requires_grad=True)
    optimizer = make(PLAIN, weight)
    # v = .001 * 4, debiased 4, so g / sqrt(v) = 1; momentum .1 * 1, debiased 1.
    assert step(optimizer, weight, 2.0) == pytest.approx(1 - 0.1)
    # v = .999 * .004 + .001 * 16 = .019996, debiased by 1 - .999**2 = .001999: 10.0030; g / sqrt(v) = -1.264721.
    # momentum .9 * .1 + .1 * -1.264721 = -.0364721, debiased by 1 - .81: -.1919586.
    assert step(optimizer, weight, -4.0) == pytest.approx(0.9 + 0.1 * 0.1919586, rel=1e-5)


def test_the_length_of_a_step_does_not_depend_on_the_scale_of_the_gradients() -> None:
    weights = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    for weight, scale in zip(weights, (1e-6, 1e6), strict=True):
        optimizer = make(PLAIN, weight)
        for gradient in (1.0, -3.0, 2.0):
            step(optimizer, weight, scale * gradient)
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=0)


def test_the_learning_rate_warms_up_from_nothing() -> None:
    assert [warmup(step, 4) for step in range(6)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert warmup(0, 0) == 1.0
    weight = torch.tensor([1.0], requires_grad=True)
    optimizer = make(LaPropConfig(lr=0.1, agc=0.0, warmup=4), weight)
    # A constant gradient makes every step as long as its learning rate.
    assert step(optimizer, weight, 5.0) == 1.0
    assert step(optimizer, weight, 5.0) == pytest.approx(1 - 0.025)
    assert step(optimizer, weight, 5.0) == pytest.approx(1 - 0.025 - 0.05)


def test_gradients_are_clipped_against_their_own_weights() -> None:
    weights = [torch.tensor([3.0, 4.0]), torch.tensor([3.0, 4.0]), torch.zeros(2)]
    gradients = [torch.tensor([6.0, 8.0]), torch.tensor([0.6, 0.8]), torch.tensor([1.0, 0.0])]
    clip_adaptively(gradients, weights, 0.3, 1e-3)
    # 0.3 * |w| = 1.5; the second is short enough; a zero weight counts as 0.001 long.
    torch.testing.assert_close(gradients[0], torch.tensor([0.9, 1.2]))
    assert torch.equal(gradients[1], torch.tensor([0.6, 0.8]))
    torch.testing.assert_close(gradients[2], torch.tensor([3e-4, 0.0]))


def test_no_gradient_is_longer_than_its_share_after_clipping() -> None:
    generator = make_generator(0)
    weights = [randn((7, 3), generator) * scale for scale in (1e-5, 1.0, 100.0)]
    gradients = [randn((7, 3), generator) * scale for scale in (1e3, 1e-3, 1e3)]
    clip_adaptively(gradients, weights, 0.3, 1e-3)
    for gradient, weight in zip(gradients, weights, strict=True):
        assert gradient.norm() <= 0.3 * max(weight.norm().item(), 1e-3) * (1 + 1e-5)
    still = [torch.zeros(2)]
    clip_adaptively(still, [torch.zeros(2)], 0.3, 1e-3)
    assert torch.isfinite(still[0]).all()


def test_the_clip_is_used_by_the_step_and_leaves_the_gradient_as_it_was() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    optimizer = make(LaPropConfig(lr=0.1, agc=0.3, warmup=0), weight)
    weight.grad = torch.tensor([6.0, 8.0])
    optimizer.step()
    torch.testing.assert_close(optimizer.state[weight]["exp_avg_sq"], 0.001 * torch.tensor([0.81, 1.44]))
    assert weight.grad.tolist() == [6.0, 8.0]


def test_a_weight_without_a_gradient_is_not_touched() -> None:
    moving, still = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    optimizer = make(PLAIN, moving, still)
    for _ in range(3):
        step(optimizer, moving, 1.0)
    assert still.item() == 1.0
    assert still not in optimizer.state
    assert moving.item() == pytest.approx(0.7)


def test_a_weight_that_joins_later_takes_the_others_as_they_are() -> None:
    weights = [torch.ones(2, requires_grad=True) for _ in range(2)]
    alone = torch.ones(2, requires_grad=True)
    together, apart = make(PLAIN, *weights), make(PLAIN, alone)
    for gradient in (1.0, -2.0):
        assert step(together, weights[0], gradient) == step(apart, alone, gradient)
    weights[1].grad = torch.ones(2)
    assert step(together, weights[0], 0.5) == step(apart, alone, 0.5)
    assert torch.equal(together.state[weights[0]]["exp_avg"], apart.state[alone]["exp_avg"])
    assert together.state[weights[1]]["step"].item() == 1


def test_weight_decay_pulls_toward_zero() -> None:
    weight = torch.tensor([2.0], requires_grad=True)
    assert step(make(LaPropConfig(lr=0.1, agc=0.0, warmup=0, weight_decay=0.5), weight), weight, 0.0) == (
        pytest.approx(2 - 0.1 * 0.5 * 2)
    )


def test_each_group_has_its_own_learning_rate() -> None:
    fast, slow = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = LaProp([{"params": [fast]}, {"params": [slow], "lr": 0.01}], PLAIN)
    fast.grad = slow.grad = torch.ones(1)
    optimizer.step()
    assert [fast.item(), slow.item()] == pytest.approx([-0.1, -0.01])


def test_a_restored_optimizer_goes_on_where_the_saved_one_was() -> None:
    config = LaPropConfig(lr=0.1, warmup=10)
    one, other = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    saved = make(config, one)
    for gradient in (1.0, -2.0, 3.0):
        step(saved, one, gradient)
    restored = make(config, other)
    restored.load_state_dict(deepcopy(saved.state_dict()))
    with torch.no_grad():
        other.copy_(one)
    assert step(restored, other, 0.5) == step(saved, one, 0.5)
    assert restored.state[other]["step"].item() == 4
    assert restored.state[other]["step"].dtype == torch.int64


def test_an_optimizer_that_has_stepped_goes_on_from_what_it_loads() -> None:
    one, other = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    saved, restored = make(PLAIN, one), make(PLAIN, other)
    for gradient in (1.0, -2.0):
        step(saved, one, gradient)
    step(restored, other, 7.0)
    restored.load_state_dict(deepcopy(saved.state_dict()))
    with torch.no_grad():
        other.copy_(one)
    assert step(restored, other, 0.5) == step(saved, one, 0.5)


def test_weights_of_different_shapes_step_as_if_alone() -> None:
    shapes, generator = ((2, 3), (4,)), make_generator(0)
    together = [torch.ones(shape, requires_grad=True) for shape in shapes]
    apart = [torch.ones(shape, requires_grad=True) for shape in shapes]
    config = LaPropConfig(lr=0.1, agc=0.3, warmup=0, weight_decay=0.1)
    optimizers = [make(config, *together), *(make(config, weight) for weight in apart)]
    for _ in range(3):
        for both, alone in zip(together, apart, strict=True):
            both.grad = alone.grad = randn(tuple(both.shape), generator)
        for optimizer in optimizers:
            optimizer.step()
    for both, alone in zip(together, apart, strict=True):
        torch.testing.assert_close(both, alone)


def test_a_weight_that_pauses_keeps_what_it_knows() -> None:
    pausing, steady = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    optimizer = make(PLAIN, pausing, steady)
    for gradient in (1.0, None, 1.0):
        pausing.grad = None if gradient is None else torch.full((2,), gradient)
        steady.grad = torch.ones(2)
        optimizer.step()
    # v = .001, then .999 * .001 + .001.
    torch.testing.assert_close(optimizer.state[pausing]["exp_avg_sq"], torch.full((2,), 0.001999))
    assert optimizer.state[pausing]["step"].item() == 2


def test_the_debiased_mean_of_equal_gradients_is_one_from_the_start() -> None:
    weight = torch.zeros(1, requires_grad=True)
    optimizer = make(PLAIN, weight)
    for count in range(1, 6):
        assert step(optimizer, weight, math.pi) == pytest.approx(-0.1 * count, rel=1e-5)
