"""Actions as replay stores them, as models see them, and as environments take them."""

import pytest
import torch

from dreamer_core.models.actions import decode, encode, no_action, random_action
from dreamer_core.rng import make_generator
from dreamer_core.types import NO_ACTION, ActionSpec
from tests.factories import ACTIONS, CONTINUOUS, DISCRETE, MULTI_DISCRETE, random_actions

specs = pytest.mark.parametrize("spec", ACTIONS.values(), ids=ACTIONS)


def test_discrete_actions_become_one_hots_side_by_side() -> None:
    stored = torch.tensor([[2, 1], [0, 0]], dtype=torch.int32)
    assert encode(stored, MULTI_DISCRETE).tolist() == [[0, 0, 1, 0, 1], [1, 0, 0, 1, 0]]


def test_no_action_becomes_zeros() -> None:
    stored = torch.tensor([[NO_ACTION, NO_ACTION], [1, NO_ACTION]], dtype=torch.int32)
    assert encode(stored, MULTI_DISCRETE).tolist() == [[0, 0, 0, 0, 0], [0, 1, 0, 0, 0]]


@specs
def test_encoding_undoes_decoding(spec: ActionSpec) -> None:
    stored = random_actions(spec, (7, 4), make_generator(0))
    encoded = encode(stored, spec)
    assert encoded.shape == (7, 4, spec.width)
    assert encoded.dtype == torch.float32
    decoded = decode(encoded, spec)
    assert torch.equal(decoded, stored)
    assert decoded.dtype == stored.dtype


def test_an_index_that_is_no_action_at_all_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Class values"):
        encode(torch.tensor([[4]], dtype=torch.int32), DISCRETE)


def test_continuous_actions_are_cut_off_at_one_when_they_are_played() -> None:
    assert decode(torch.tensor([[1.5, -7.0], [0.25, -1.0]]), CONTINUOUS).tolist() == [[1.0, -1.0], [0.25, -1.0]]


@specs
def test_a_row_without_an_action_stores_something_that_encodes_to_zeros(spec: ActionSpec) -> None:
    stored = no_action(3, spec)
    assert stored.shape == (3, spec.stored_width)
    assert encode(stored, spec).abs().sum() == 0


@specs
def test_random_actions_cover_what_the_environment_takes(spec: ActionSpec) -> None:
    stored = random_action(2000, spec, make_generator(0))
    assert stored.shape == (2000, spec.stored_width)
    if spec.is_continuous:
        assert -1 <= stored.min() < -0.99
        assert 0.99 < stored.max() <= 1
    else:
        assert [set(head.tolist()) for head in stored.T] == [set(range(size)) for size in spec.sizes]
    assert torch.equal(stored, random_action(2000, spec, make_generator(0)))
