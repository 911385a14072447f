"""Returns over imagined and replayed steps: pure functions of aligned, time-major arrays."""

import torch
from torch import Tensor


def lambda_returns(reward: Tensor, value: Tensor, discount: Tensor, lmbda: float) -> Tensor:
    """R_t = r_{t+1} + d_{t+1} ((1 - l) v_{t+1} + l R_{t+1}), for arrays that all start at t + 1.

    reward, value and discount are (H, ...): entry i is the moment i + 1 after the start. `discount` already holds the
    probability of going on. The last return bootstraps from the last value. Result (H, ...): entry i belongs to step i.
    """
    interim = reward + discount * value * (1 - lmbda)
    last, returns = value[-1], []
    for t in reversed(range(len(reward))):
        last = interim[t] + discount[t] * lmbda * last
        returns.append(last)
    return torch.stack(returns[::-1])


def replay_returns(
    reward: Tensor, value: Tensor, terminated: Tensor, is_last: Tensor, *, gamma: float, lmbda: float
) -> Tensor:
    """Lambda-returns (T - 1, B) along a replayed sequence (T, B), which may hold several episodes.

    At the last row of an episode the trace is cut: nothing after a termination counts, and a truncation bootstraps from
    the value of its own row.
    """
    live = (1 - terminated.float())[1:] * gamma
    trace = (1 - is_last.float())[1:] * lmbda
    interim = reward[1:] + (1 - trace) * live * value[1:]
    last, returns = value[-1], []
    for t in reversed(range(len(live))):
        last = interim[t] + live[t] * trace[t] * last
        returns.append(last)
    return torch.stack(returns[::-1])
