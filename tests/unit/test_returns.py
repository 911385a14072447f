"""Returns, against slow versions that follow the definition, and against numbers worked out by hand."""

import pytest
import torch
from torch import Tensor

from dreamer_core.models.returns import lambda_returns, replay_returns
from dreamer_core.rng import make_generator


def by_definition(reward: list[float], value: list[float], discount: list[float], lmbda: float) -> list[float]:
    """R_t = r + d ((1 - l) v + l R_{t+1}), each from scratch by recursion; R beyond the end is the last value."""

    def at(step: int) -> float:
        if step == len(reward):
            return value[-1]
        return reward[step] + discount[step] * ((1 - lmbda) * value[step] + lmbda * at(step + 1))

    return [at(step) for step in range(len(reward))]


def test_lambda_returns_by_hand() -> None:
    reward, value, discount = (torch.tensor(x)[:, None] for x in ([1.0, 2.0], [10.0, 20.0], [0.5, 0.5]))
    # R_1 = 2 + .5 (.5 * 20 + .5 * 20) = 12;  R_0 = 1 + .5 (.5 * 10 + .5 * 12) = 6.5
    assert lambda_returns(reward, value, discount, 0.5).flatten().tolist() == [6.5, 12.0]


@pytest.mark.parametrize("lmbda", [0.0, 0.3, 0.95, 1.0])
def test_lambda_returns_are_those_of_the_definition(lmbda: float) -> None:
    generator = make_generator(0)
    reward, value, discount = (torch.rand((6, 4), generator=generator, dtype=torch.float64) for _ in range(3))
    by_column = zip(reward.T.tolist(), value.T.tolist(), discount.T.tolist(), strict=True)
    expected = torch.tensor([by_definition(*column, lmbda) for column in by_column], dtype=torch.float64).T
    torch.testing.assert_close(lambda_returns(reward, value, discount, lmbda), expected)


def test_with_lambda_one_rewards_add_up_and_with_zero_only_the_next_value_counts() -> None:
    reward, value, discount = torch.ones(3, 1), torch.tensor([[5.0], [6.0], [7.0]]), torch.ones(3, 1)
    assert lambda_returns(reward, value, discount, 1.0).flatten().tolist() == [10.0, 9.0, 8.0]
    assert lambda_returns(reward, value, discount, 0.0).flatten().tolist() == [6.0, 7.0, 8.0]


def test_nothing_counts_after_an_imagined_end() -> None:
    reward, value = torch.ones(3, 1), torch.full((3, 1), 100.0)
    discount = torch.tensor([[1.0], [0.0], [1.0]])
    assert lambda_returns(reward, value, discount, 1.0)[:2].flatten().tolist() == [2.0, 1.0]


def test_gradients_flow_through_every_imagined_step() -> None:
    reward = torch.zeros(3, 1, requires_grad=True)
    lambda_returns(reward, torch.zeros(3, 1), torch.full((3, 1), 0.5), 1.0)[0].backward()
    assert reward.grad is not None
    assert reward.grad.flatten().tolist() == [1.0, 0.5, 0.25]


def column(*values: float) -> Tensor:
    return torch.tensor(values)[:, None]


@pytest.mark.parametrize(
    ("terminated", "is_last", "expected"),
    [
        # Nothing ends: R_2 = 3 + .5 * 40 = 23, R_1 = 2 + .5 (.5 * 30 + .5 * 23), R_0 = 1 + .5 (.5 * 20 + .5 * R_1).
        ((0, 0, 0, 0), (0, 0, 0, 0), (1 + 5 + 15.25 / 4, 2 + 7.5 + 5.75, 23.0)),
        # Row 2 terminates: its value does not count, and neither does what comes after.
        ((0, 0, 1, 0), (0, 0, 1, 0), (1 + 5 + 2 / 4, 2.0, 23.0)),
        # Row 2 is cut off: its value counts whole, the reward after it does not.
        ((0, 0, 0, 0), (0, 0, 1, 0), (1 + 5 + 17 / 4, 2 + 15.0, 23.0)),
        # The last row terminates, or is cut off.
        ((0, 0, 0, 1), (0, 0, 0, 1), (1 + 5 + (2 + 7.5 + 0.75) / 4, 2 + 7.5 + 0.75, 3.0)),
        ((0, 0, 0, 0), (0, 0, 0, 1), (1 + 5 + 15.25 / 4, 2 + 7.5 + 5.75, 23.0)),
    ],
    ids=["goes on", "terminates", "is cut off", "terminates at the end", "is cut off at the end"],
)
def test_replay_returns_by_hand(
    terminated: tuple[int, ...], is_last: tuple[int, ...], expected: tuple[float, ...]
) -> None:
    reward, value = column(99.0, 1.0, 2.0, 3.0), column(10.0, 20.0, 30.0, 40.0)  # the first reward is of the past
    returns = replay_returns(reward, value, column(*terminated).bool(), column(*is_last).bool(), gamma=0.5, lmbda=0.5)
    assert returns.flatten().tolist() == list(expected)


def test_replay_returns_are_those_of_the_definition() -> None:
    generator = make_generator(0)
    reward, value, chance = (torch.rand((7, 5), generator=generator, dtype=torch.float64) for _ in range(3))
    terminated, is_last = chance < 0.2, chance < 0.4
    gamma, lmbda = 0.9, 0.7
    expected = torch.zeros(6, 5, dtype=torch.float64)
    for b in range(5):
        following = value[-1, b]
        for t in reversed(range(6)):
            if terminated[t + 1, b]:
                expected[t, b] = reward[t + 1, b]
            elif is_last[t + 1, b]:
                expected[t, b] = reward[t + 1, b] + gamma * value[t + 1, b]
            else:
                mixed = (1 - lmbda) * value[t + 1, b] + lmbda * following
                expected[t, b] = reward[t + 1, b] + gamma * mixed
            following = expected[t, b]
    torch.testing.assert_close(replay_returns(reward, value, terminated, is_last, gamma=gamma, lmbda=lmbda), expected)
