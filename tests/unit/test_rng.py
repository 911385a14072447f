"""Every random number comes from a generator that somebody handed in."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dreamer_core.rng import (
    ModeSampler,
    RandomSampler,
    fork_generator,
    make_generator,
    rand,
    randint,
    randn,
    require_generator,
    restore_generator,
)

Draw = Callable[[torch.Generator | None], Tensor]

DRAWS: dict[str, Draw] = {
    "rand": lambda generator: rand((2, 3), generator),
    "randn": lambda generator: randn((2, 3), generator),
    "randint": lambda generator: randint(0, 1000, (2, 3), generator),
}
draws = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)

# 99.9% of honest samples of 4 classes stay below this (chi-square, 3 degrees of freedom).
CHI_SQUARE_BOUND = 16.27


@draws
def test_the_same_seed_gives_the_same_numbers(draw: Draw) -> None:
    one, other = make_generator(7), make_generator(7)
    assert torch.equal(draw(one), draw(other))
    assert torch.equal(draw(one), draw(other))


@draws
def test_another_seed_and_a_later_draw_give_other_numbers(draw: Draw) -> None:
    generator = make_generator(7)
    first = draw(generator)
    assert not torch.equal(first, draw(generator))
    assert not torch.equal(first, draw(make_generator(8)))


@draws
def test_drawing_without_a_generator_is_refused(draw: Draw) -> None:
    with pytest.raises(ValueError, match="never draws from global random state"):
        draw(None)


def test_none_is_refused_wherever_a_generator_is_required() -> None:
    for function in (require_generator, fork_generator, RandomSampler):
        with pytest.raises(ValueError, match=r"a torch\.Generator is required"):
            function(None)  # type: ignore[arg-type]  # a caller without types
    generator = make_generator(0)
    assert require_generator(generator) is generator


def test_draws_have_the_shape_and_range_that_was_asked_for() -> None:
    generator = make_generator(0)
    assert rand((5, 2), generator).shape == randn((5, 2), generator).shape == (5, 2)
    numbers = randint(3, 6, (1000,), generator)
    assert numbers.unique().tolist() == [3, 4, 5]


def test_a_fork_depends_only_on_the_state_of_its_parent() -> None:
    parent, twin = make_generator(3), make_generator(3)
    child, second = fork_generator(parent), fork_generator(parent)
    assert torch.equal(rand((4,), child), rand((4,), fork_generator(twin)))
    assert torch.equal(rand((4,), second), rand((4,), fork_generator(twin)))
    assert torch.equal(parent.get_state(), twin.get_state())


def test_a_fork_follows_neither_its_parent_nor_its_siblings() -> None:
    parent = make_generator(3)
    streams = [rand((4,), generator) for generator in (fork_generator(parent), fork_generator(parent), parent)]
    assert len({tuple(stream.tolist()) for stream in streams}) == 3


@pytest.mark.parametrize("repeats", [1, 5], ids=["few-classes", "many-classes"])
def test_sampled_classes_come_as_often_as_their_probability_says(repeats: int) -> None:
    probs, count = torch.tensor([0.1, 0.2, 0.3, 0.4]).repeat(repeats) / repeats, 40_000
    samples = RandomSampler(make_generator(0)).one_hot(probs.expand(count, -1))
    assert (samples.sum(-1) == 1).all()
    expected = (probs * count).unflatten(0, (repeats, 4)).sum(0)
    found = samples.sum(0).unflatten(0, (repeats, 4)).sum(0)
    assert ((found - expected).square() / expected).sum() < CHI_SQUARE_BOUND


@pytest.mark.parametrize("classes", [3, 12])
def test_a_sample_is_the_one_hot_of_the_class_that_is_drawn(classes: int) -> None:
    probs = torch.rand((50, classes), generator=make_generator(1)).softmax(-1)
    index = RandomSampler(make_generator(0)).index(probs)
    assert torch.equal(RandomSampler(make_generator(0)).one_hot(probs).argmax(-1), index)


@pytest.mark.parametrize("more", [0, 7], ids=["few-classes", "many-classes"])
def test_a_class_without_probability_is_never_sampled(more: int) -> None:
    probs = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0, *[0.0] * more]).expand(40_000, -1)
    counts = RandomSampler(make_generator(0)).one_hot(probs).sum(0)
    assert (counts[[1, 3]] > 19_000).all()
    assert counts[[1, 3]].sum() == 40_000


@pytest.mark.parametrize(
    ("uniform", "probs", "expected"),
    [
        (0.0, [0.0, 0.5, 0.5], 1),  # the first class that has any mass
        (0.5, [0.5, 0.5], 1),  # on a border: the class that begins there
        (0.49, [0.5, 0.5], 0),
        (1 - 2**-24, [0.25, 0.75, 0.0], 1),  # the largest float32 below 1: the last class that has any mass
        (1 - 2**-24, [0.1] * 10, 9),
        (0.5, [0.1, 0.3], 1),  # a total below 1 is scaled up
    ],
)
def test_the_ends_of_the_uniform_draw_hit_classes_that_have_mass(
    monkeypatch: pytest.MonkeyPatch, uniform: float, probs: list[float], expected: int
) -> None:
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, uniform))
    sample = RandomSampler(make_generator(0)).one_hot(torch.tensor(probs))
    assert sample.tolist() == [float(index == expected) for index in range(len(probs))]


def test_no_total_of_many_classes_lets_the_largest_draw_fall_off_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, 1 - 2**-24))
    probs = torch.randn((5000, 32), generator=make_generator(0)).softmax(-1)
    probs = torch.cat([probs, torch.zeros(5000, 1)], -1)
    assert RandomSampler(make_generator(0)).one_hot(probs)[:, -1].sum() == 0


def test_a_sample_keeps_shape_and_dtype_and_carries_no_gradient() -> None:
    probs = torch.full((2, 3, 4), 0.25, dtype=torch.bfloat16, requires_grad=True)
    sample = RandomSampler(make_generator(0)).one_hot(probs)
    assert sample.shape == (2, 3, 4)
    assert sample.dtype == torch.bfloat16
    assert not sample.requires_grad


def test_a_random_sampler_repeats_itself_with_the_same_seed_only() -> None:
    probs = torch.full((50, 8), 1 / 8)
    one, same, other = (RandomSampler(make_generator(seed)) for seed in (4, 4, 5))
    first = one.one_hot(probs)
    assert torch.equal(first, same.one_hot(probs))
    assert not torch.equal(first, other.one_hot(probs))
    assert torch.equal(one.normal_noise(probs), same.normal_noise(probs))


def test_noise_is_standard_normal_in_the_shape_of_its_example() -> None:
    noise = RandomSampler(make_generator(0)).normal_noise(torch.zeros(20_000, 2))
    assert noise.shape == (20_000, 2)
    assert abs(noise.mean().item()) < 0.02
    assert abs(noise.std().item() - 1) < 0.02


def test_the_mode_sampler_takes_the_first_of_the_most_likely_classes_and_adds_no_noise() -> None:
    probs = torch.tensor([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], requires_grad=True)
    sample = ModeSampler().one_hot(probs)
    assert sample.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert not sample.requires_grad
    assert ModeSampler().normal_noise(probs).tolist() == [[0.0] * 3] * 2


def test_a_restored_generator_goes_on_where_it_was_saved() -> None:
    generator, other = make_generator(1), make_generator(2)
    restore_generator(other, generator.get_state())
    assert torch.equal(rand((3,), other), rand((3,), generator))


def test_the_state_of_another_kind_of_device_is_a_seed_that_is_always_the_same() -> None:
    foreign = torch.arange(16, dtype=torch.uint8)  # CUDA keeps 16 bytes, the CPU 5,056
    one, same, other = (make_generator(seed) for seed in (1, 2, 3))
    restore_generator(one, foreign)
    restore_generator(same, foreign)
    restore_generator(other, foreign + 1)
    first = rand((3,), one)
    assert torch.equal(first, rand((3,), same))
    assert not torch.equal(first, rand((3,), other))
