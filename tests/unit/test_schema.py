"""The tensor contracts, and what is said when one is broken."""

import pytest
import torch

from dreamer_core import schema


def test_the_constants_are_those_of_the_specification() -> None:
    constants = {name: value for name, value in vars(schema).items() if name.isupper() and name[0] != "_"}
    assert constants == {
        "OBS_PACKED2_DTYPE": torch.uint8,
        "OBS_PACKED2_SHAPE": (1, 72, 20),
        "ACTION_DTYPE": torch.int32,
        "REWARD_DTYPE": torch.float32,
        "CONTINUE_DTYPE": torch.float32,
        "EPISODE_ID_DTYPE": torch.int32,
    }


@pytest.mark.parametrize("shape", [(1, 1), (5, 2), (5, 2, 3, 4)])
def test_time_major_tensors_pass(shape: tuple[int, ...]) -> None:
    schema.assert_time_major(torch.zeros(shape), "reward")


@pytest.mark.parametrize("shape", [(), (5,), (0, 2), (5, 0), (0, 2, 3)])
def test_tensors_without_time_and_batch_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"reward must be time-major \[T, B, \.\.\.\] and not empty, got shape \("):
        schema.assert_time_major(torch.zeros(shape), "reward")


def test_packed2_observations_pass() -> None:
    schema.assert_packed2_obs(torch.zeros(3, 2, 1, 72, 20, dtype=torch.uint8), "screen")


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(3, 2, 1, 72, 20), r"screen must be torch\.uint8, got torch\.float32"),
        (torch.zeros(3, 2, 1, 72, 80, dtype=torch.uint8), r"screen must be \[T, B, 1, 72, 20\], got shape \(3, 2, 1,"),
        (torch.zeros(2, 1, 72, 20, dtype=torch.uint8), r"got shape \(2, 1, 72, 20\)"),
        (torch.zeros(0, 2, 1, 72, 20, dtype=torch.uint8), "screen must be time-major"),
    ],
)
def test_what_is_not_a_packed2_observation_is_refused(tensor: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        schema.assert_packed2_obs(tensor, "screen")


def test_only_float32_passes_as_float32() -> None:
    schema.assert_float32(torch.zeros(1), "reward")
    for dtype in (torch.float64, torch.float16, torch.int32, torch.bool):
        with pytest.raises(ValueError, match=rf"reward must be torch\.float32, got {dtype}"):
            schema.assert_float32(torch.zeros(1, dtype=dtype), "reward")


def test_both_sizes_of_integer_pass_as_integers() -> None:
    for dtype in (torch.int32, torch.int64):
        schema.assert_int(torch.zeros(1, dtype=dtype), "action")
    for dtype in (torch.float32, torch.uint8, torch.bool):
        with pytest.raises(ValueError, match=rf"action must be int32 or int64, got {dtype}"):
            schema.assert_int(torch.zeros(1, dtype=dtype), "action")
