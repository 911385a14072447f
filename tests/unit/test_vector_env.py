"""N environments in lock step: one row each per call, resets included."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.counting import Counting
from dreamer_core.envs.episode import Episode, episode_seed
from dreamer_core.envs.registry import make_vector_env
from dreamer_core.envs.stage import InProcess
from dreamer_core.envs.survival import Survival
from dreamer_core.envs.vector import VectorEnv
from dreamer_core.types import Step
from tests.unit.vector_play import random_actions, same_rows


class Scripted(Counting):
    """A counting world with its own length, whose episodes all terminate or are all truncated."""

    def __init__(self, length: int, *, terminates: bool) -> None:
        super().__init__(length=length)
        self.terminates = terminates

    def step(self, action: NDArray[np.generic]) -> Step:
        step = super().step(action)
        is_over = step.terminated or step.truncated
        return step._replace(terminated=is_over and self.terminates, truncated=is_over and not self.terminates)


def two_envs(**options: float) -> VectorEnv:
    return VectorEnv(InProcess([Scripted(2, terminates=True), Scripted(3, terminates=False)]), seed=0, **options)


def actions(*values: int) -> Tensor:
    return torch.tensor(values)[:, None]


def test_every_call_gives_one_row_per_environment_and_a_reset_is_a_row() -> None:
    vector = two_envs()
    rows = [vector.reset()] + [vector.step(actions(1, 1)) for _ in range(5)]
    assert [row.obs["state"][:, 0].tolist() for row in rows] == [[0, 0], [1, 1], [2, 2], [0, 3], [1, 0], [2, 1]]
    assert [row.is_first.tolist() for row in rows] == [
        [True, True], [False, False], [False, False], [True, False], [False, True], [False, False],
    ]  # fmt: skip
    assert [row.terminated[0].item() for row in rows] == [False, False, True, False, False, True]
    assert [row.truncated[1].item() for row in rows] == [False, False, False, True, False, False]


def test_a_reset_row_carries_no_reward_and_ignores_its_action() -> None:
    vector = two_envs()
    vector.reset()
    vector.step(actions(1, 1))
    vector.step(actions(1, 1))
    row = vector.step(actions(-1, 2))
    assert row.reward.tolist() == pytest.approx([0.0, 3.2])
    assert row.obs["state"][0, [0, 2]].tolist() == [0, -1]


def test_finished_episodes_are_reported_with_the_row_that_ends_them_and_once() -> None:
    vector = two_envs()
    vector.reset()
    assert vector.finished == ()
    reported = []
    for _ in range(4):
        vector.step(actions(1, 0))
        reported.append(vector.finished)
    assert reported == [
        (),
        (Episode(env=0, length=2, return_=1.1 + 2.1, terminated=True, success=True),),
        (Episode(env=1, length=3, return_=6.0, terminated=False, success=False),),
        (),
    ]


@pytest.mark.parametrize(("success_return", "expected"), [(3.0, [True, True]), (3.5, [False, True])])
def test_success_is_a_return_when_one_is_configured(success_return: float, expected: list[bool]) -> None:
    vector = two_envs(success_return=success_return)
    vector.reset()
    finished: list[Episode] = []
    for _ in range(3):
        vector.step(actions(0, 0))
        finished += vector.finished
    assert [episode.success for episode in finished] == expected


def test_rows_never_change_after_they_were_given() -> None:
    vector = make_vector_env(EnvConfig(num_envs=2), seed=0)
    given = [vector.reset()] + [vector.step(action) for action in random_actions(vector, 60)]
    again = make_vector_env(EnvConfig(num_envs=2), seed=0)
    fresh = [again.reset()] + [again.step(action) for action in random_actions(again, 60)]
    assert all(same_rows(one, other) for one, other in zip(given, fresh, strict=True))
    pointers = [tensor.data_ptr() for row in given for tensor in (*row.obs.values(), *row[1:])]
    assert len(set(pointers)) == len(pointers)


class OneBuffer(Scripted):
    """Writes every observation into the same buffer, which the contract forbids."""

    buffer = np.zeros(3, dtype=np.float32)

    def step(self, action: NDArray[np.generic]) -> Step:
        step = super().step(action)
        self.buffer[:] = step.obs["state"]
        return step._replace(obs={"state": self.buffer})


def test_not_even_a_reused_buffer_reaches_rows_that_were_given() -> None:
    vector = VectorEnv(InProcess([OneBuffer(3, terminates=True)]), seed=0)
    vector.reset()
    first, second = vector.step(actions(0)), vector.step(actions(0))
    assert [row.obs["state"][0, 0].item() for row in (first, second)] == [1, 2]


def test_writing_into_the_actions_afterwards_changes_nothing() -> None:
    vector = two_envs()
    vector.reset()
    mine = actions(1, 1)
    vector.step(mine)
    mine[:] = 0
    assert vector.snapshot().actions.tolist() == [[1], [1]]


def test_every_episode_of_every_environment_has_a_seed_of_its_own() -> None:
    seeds = [episode_seed(seed, env, episode) for seed in range(3) for env in range(5) for episode in range(20)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_seed_of_an_episode_is_fixed_for_ever() -> None:
    """Checkpoints hold episode numbers: another derivation would resume them into other episodes."""
    assert (episode_seed(0, 0, 0), episode_seed(0, 0, 1)) == (2044266242, 1790637272)
    assert (episode_seed(0, 1, 0), episode_seed(1, 0, 0)) == (1976665982, 1511999270)


def test_an_episode_depends_on_its_number_and_not_on_what_happened_before() -> None:
    short, long = make_vector_env(EnvConfig(num_envs=1), seed=3), make_vector_env(EnvConfig(num_envs=1), seed=3)
    assert torch.equal(first_rows(short, 0)[3], first_rows(long, 1)[3])


def first_rows(vector: VectorEnv, action: int) -> list[Tensor]:
    """The first observation of the first four episodes when one button is held."""
    found: list[Tensor] = []
    row = vector.reset()
    while len(found) < 4:
        if row.is_first[0]:
            found.append(row.obs["state"][0])
        row = vector.step(actions(action))
    return found


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (torch.zeros(2, dtype=torch.int64), r"must be \(2, 1\), got \(2,\)"),
        (actions(0, -1), r"environment 1 needs an action .* got \[-1\]"),
        (actions(3, 0), r"environment 0 needs an action .* got \[3\]"),
    ],
)
def test_actions_that_make_no_sense_are_refused(given: Tensor, complaint: str) -> None:
    vector = two_envs()
    vector.reset()
    with pytest.raises(ValueError, match=complaint):
        vector.step(given)


def test_a_continuous_action_must_be_finite() -> None:
    vector = make_vector_env(EnvConfig(id="Pendulum-v1", num_envs=1), seed=0)
    vector.reset()
    with pytest.raises(ValueError, match=r"environment 0 needs an action .* got \[nan\]"):
        vector.step(torch.tensor([[float("nan")]]))


def test_a_step_before_the_reset_is_refused() -> None:
    with pytest.raises(ValueError, match=r"call reset\(\) or restore\(\) first"):
        two_envs().step(actions(0, 0))


def test_what_was_begun_is_finished_once() -> None:
    vector = two_envs()
    vector.reset()
    with pytest.raises(ValueError, match=r"call begin\(\) first"):
        vector.finish()
    vector.begin(actions(1, 1))
    with pytest.raises(ValueError, match=r"call finish\(\) first"):
        vector.begin(actions(1, 1))
    assert vector.finish().obs["state"][:, 0].tolist() == [1, 1]


def test_while_a_step_is_under_way_a_snapshot_is_of_the_moment_before() -> None:
    vector = two_envs()
    vector.reset()
    vector.step(actions(1, 1))
    vector.begin(actions(2, 2))
    snapshot = vector.snapshot()
    assert snapshot.length.tolist() == [1, 1]
    assert vector.restore(snapshot).obs["state"][:, 0].tolist() == [1, 1]
    assert vector.step(actions(2, 2)).obs["state"][:, 0].tolist() == [2, 2]


class Failing(Scripted):
    """Fails when it is given action 2."""

    def step(self, action: NDArray[np.generic]) -> Step:
        if action[0] == 2:
            raise RuntimeError("the joystick came off")
        return super().step(action)


def test_after_a_step_that_failed_one_can_start_over() -> None:
    vector = VectorEnv(InProcess([Failing(3, terminates=True)]), seed=0)
    vector.reset()
    with pytest.raises(RuntimeError, match="joystick"):
        vector.step(actions(2))
    vector.reset()
    assert vector.step(actions(1)).obs["state"][0, 0].item() == 1


class Shrinking(Scripted):
    """Shows less than it said it would."""

    def reset(self, seed: int) -> Step:
        step = super().reset(seed)
        return step._replace(obs={"state": step.obs["state"][:1]})


def test_an_observation_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"environment 0 shows 'state' as \(1,\), its spaces say \(3,\)"):
        VectorEnv(InProcess([Shrinking(3, terminates=True)]), seed=0).reset()


def test_environments_that_see_different_things_cannot_run_together() -> None:
    with pytest.raises(ValueError, match="the same spaces"):
        VectorEnv(InProcess([Counting(), Survival()]), seed=0)
    with pytest.raises(ValueError, match="at least one"):
        VectorEnv(InProcess([]), seed=0)


def test_the_autoreset_mode_is_the_one_that_the_configuration_names() -> None:
    assert two_envs().autoreset_mode == EnvConfig().autoreset == "next_step"
