"""Histories for the replay tests whose every number says which time and environment it belongs to."""

from collections.abc import Collection

import pytest
import torch
from torch import Tensor

from dreamer_core.replay.layout import LatentShape
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.types import NO_ACTION, ActionSpec, ObsSpec, Rows, Spaces, State

SPACES = Spaces(
    obs={"place": ObsSpec(kind="vector", shape=(2,)), "screen": ObsSpec(kind="image", shape=(3, 4, 4))},
    action=ActionSpec(kind="discrete", sizes=(5,)),
)
LATENTS = LatentShape(deter=3, stoch=2, classes=4)

on_devices = pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
        ),
    ],
)


class History:
    """Row t of environment n shows place (t, n), pays 100 n + t, and acts (t + n) % 5. Episodes end as told."""

    def __init__(
        self,
        num_envs: int,
        *,
        terminated: Collection[tuple[int, int]] = (),
        truncated: Collection[tuple[int, int]] = (),
    ) -> None:
        """`terminated` and `truncated` name last rows as (time, environment)."""
        self.num_envs = num_envs
        self.terminated = set(terminated)
        self.truncated = set(truncated)

    def is_first(self, time: int, env: int) -> bool:
        return time == 0 or self.is_last(time - 1, env)

    def is_last(self, time: int, env: int) -> bool:
        return (time, env) in self.terminated | self.truncated

    def rows(self, time: int) -> Rows:
        envs = range(self.num_envs)
        return Rows(
            obs={
                "place": torch.tensor([[float(time), float(env)] for env in envs]),
                "screen": torch.stack([torch.full((3, 4, 4), (10 * time + env) % 256).byte() for env in envs]),
            },
            reward=torch.tensor([100.0 * env + time for env in envs]),
            is_first=torch.tensor([self.is_first(time, env) for env in envs]),
            terminated=torch.tensor([(time, env) in self.terminated for env in envs]),
            truncated=torch.tensor([(time, env) in self.truncated for env in envs]),
        )

    def action(self, time: int) -> Tensor:
        chosen = [NO_ACTION if self.is_last(time, env) else (time + env) % 5 for env in range(self.num_envs)]
        return torch.tensor(chosen, dtype=torch.int32)[:, None]

    def latents(self, time: int) -> State:
        """deter is (t, n, 0) and every variable is in class t % 4."""
        deter = torch.tensor([[float(time), float(env), 0.0] for env in range(self.num_envs)])
        return State(deter, one_hot(torch.full((self.num_envs, 2), time % 4)))


def one_hot(index: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(index.long(), LATENTS.classes).float()


def make_ring(
    num_envs: int = 2,
    slots: int = 8,
    device: str = "cpu",
    *,
    spaces: Spaces = SPACES,
    latent_shape: LatentShape | None = None,
    commit_stride: int = 1,
    safety_margin: int = 0,
    window: int = 1,
) -> ReplayRing:
    return ReplayRing(
        spaces,
        num_envs=num_envs,
        capacity=num_envs * slots,
        max_bytes=10**9,
        device=device,
        latent_shape=latent_shape,
        commit_stride=commit_stride,
        safety_margin=safety_margin,
        window=window,
    )


def push_all(ring: ReplayRing, history: History, count: int) -> None:
    """Push the next `count` rows of the history, with beliefs if the ring keeps them."""
    for time in range(ring.written, ring.written + count):
        latents = history.latents(time) if ring.latent_shape else None
        ring.push(history.rows(time), history.action(time), latents)
