"""The contract checker finds each way to break the contract, and says so."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dreamer_core.envs.checker import check_env
from dreamer_core.envs.counting import Counting
from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step


class OneBuffer(Counting):
    """Hands out the buffer that it keeps writing into."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = np.zeros(3, dtype=np.float32)

    def reset(self, seed: int) -> Step:
        return self.hand_out(super().reset(seed))

    def step(self, action: NDArray[np.generic]) -> Step:
        return self.hand_out(super().step(action))

    def hand_out(self, step: Step) -> Step:
        self.buffer[:] = step.obs["state"]
        return step._replace(obs={"state": self.buffer})


class ViewOfOneBuffer(OneBuffer):
    """The same mistake with a fresh array object each time and a value that never changes."""

    def hand_out(self, step: Step) -> Step:
        return step._replace(obs={"state": self.buffer[:]})


class Changed(Counting):
    """A counting world whose steps are changed on their way out."""

    def __init__(self, change: Callable[[Step], Step]) -> None:
        super().__init__(length=4)
        self.change = change

    def step(self, action: NDArray[np.generic]) -> Step:
        return self.change(super().step(action))


class WritesIntoAction(Counting):
    def step(self, action: NDArray[np.generic]) -> Step:
        step = super().step(action)
        action[:] = -1
        return step


class CountsResets(Counting):
    """Looks the same after each reset, but is not."""

    resets = 0

    def reset(self, seed: int) -> Step:
        self.resets += 1
        return super().reset(self.resets)


class KeepsItsFlags(Counting):
    def reset(self, seed: int) -> Step:
        return super().reset(seed)._replace(truncated=True)


class PaysForReset(Counting):
    def reset(self, seed: int) -> Step:
        return super().reset(seed)._replace(reward=1.0)


def obs_of(value: object) -> Callable[[Step], Step]:
    return lambda step: step._replace(obs={"state": value})  # type: ignore[dict-item]  # wrong on purpose


BROKEN = [
    pytest.param(OneBuffer(), "reuses one buffer; return a copy", id="one-buffer"),
    pytest.param(ViewOfOneBuffer(), "the same memory", id="view-of-one-buffer"),
    pytest.param(WritesIntoAction(), "wrote into the action", id="writes-into-action"),
    pytest.param(CountsResets(), r"something outlives reset\(seed\)", id="counts-resets"),
    pytest.param(KeepsItsFlags(), "reset.. returned a finished episode", id="keeps-flags"),
    pytest.param(PaysForReset(), "reset.. returned reward 1.0", id="pays-for-reset"),
    pytest.param(Changed(obs_of(np.zeros(3))), "float64 is numpy's default", id="float64"),
    pytest.param(Changed(obs_of(np.zeros((1, 3), np.float32))), "flatten it in the adapter", id="shape"),
    pytest.param(Changed(obs_of(np.full(3, np.nan, np.float32))), "is not finite", id="nan-obs"),
    pytest.param(Changed(obs_of([0.0, 0.0, 0.0])), "must be a numpy array", id="list"),
    pytest.param(Changed(lambda step: step._replace(obs={})), "the spec says .'state'.", id="keys"),
    pytest.param(Changed(lambda step: step._replace(reward=float("nan"))), "finite float", id="nan-reward"),
    pytest.param(Changed(lambda step: step._replace(reward=1)), r"1 \(int\)", id="int-reward"),
    pytest.param(
        Changed(lambda step: step._replace(terminated=np.bool_(False))),  # type: ignore[arg-type]  # wrong on purpose
        r"wrap it in bool\(\)",
        id="numpy-flag",
    ),
    pytest.param(
        Changed(lambda step: step._replace(terminated=True, truncated=True)), "terminated and truncated", id="both"
    ),
]


@pytest.mark.parametrize(("env", "complaint"), BROKEN)
def test_a_broken_promise_is_named(env: Counting, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_env(env)


def test_a_sound_environment_passes_with_its_time_limit() -> None:
    check_env(Counting(length=4), time_limit=4)


def test_a_time_limit_that_claims_to_be_an_end_is_found() -> None:
    always_terminated = Changed(lambda step: step._replace(terminated=step[2] or step[3], truncated=False))
    with pytest.raises(AssertionError, match="a time limit alone is a truncation"):
        check_env(always_terminated, time_limit=4)


def test_a_time_limit_that_does_not_come_is_found() -> None:
    with pytest.raises(AssertionError, match="8 steps past its time limit of 4"):
        check_env(Counting(length=8), time_limit=4)


@pytest.mark.parametrize(
    ("obs", "action", "complaint"),
    [
        ({}, None, "the agent would see nothing"),
        ({"rgb": ObsSpec(kind="image", shape=(64, 64))}, None, "kind image has 3 positive dimensions"),
        ({"packed2": ObsSpec(kind="packed2", shape=(1, 72, 80))}, None, r"always \(1, 72, 20\)"),
        (None, ActionSpec(kind="discrete", sizes=(2, 2)), "several heads are multi_discrete"),
        (None, ActionSpec(kind="multi_discrete", sizes=()), "action sizes must be positive"),
    ],
)
def test_spaces_that_make_no_sense_are_found(
    obs: dict[str, ObsSpec] | None, action: ActionSpec | None, complaint: str
) -> None:
    env = Counting()
    env.spaces = Spaces(
        obs=env.spaces.obs if obs is None else obs,
        action=env.spaces.action if action is None else action,
    )
    with pytest.raises(AssertionError, match=complaint):
        check_env(env)
