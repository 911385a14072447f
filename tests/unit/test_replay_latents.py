"""Stored beliefs belong to their row, come back as the context of a sequence, and can be refreshed."""

import pytest
import torch

from dreamer_core.replay.latents import last_writes, pack_stoch, unpack_stoch
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.replay.sampling import Windows, read
from dreamer_core.types import Batch, State
from tests.unit.replay_history import LATENTS, History, make_ring, on_devices, one_hot, push_all


def read_at(ring: ReplayRing, start: int, env: int, seq_len: int = 2) -> Batch:
    return read(
        ring, Windows(torch.tensor([start], device=ring.device), torch.tensor([env], device=ring.device)), seq_len
    )


def belief_at(ring: ReplayRing, time: int, env: int) -> tuple[list[float], list[int]]:
    """The stored deter, and the class of each variable (-1 where there is none)."""
    context = read_at(ring, time, env, seq_len=1).context
    assert context is not None
    peak, index = context.stoch[0].max(-1)
    return context.deter[0].tolist(), torch.where(peak > 0, index, -1).tolist()


def write(ring: ReplayRing, time: list[list[int]], env: list[int], value: list[list[float]]) -> None:
    """Write `value` into every number of deter, and class `value % 4` into every variable."""
    numbers = torch.tensor(value)
    deter = numbers[..., None].expand(*numbers.shape, LATENTS.deter)
    stoch = one_hot((numbers % 4)[..., None].expand(*numbers.shape, LATENTS.stoch))
    ring.write_latents(
        torch.tensor(time, device=ring.device),
        torch.tensor(env, device=ring.device),
        deter.to(ring.device),
        stoch.to(ring.device),
    )


@on_devices
def test_the_context_is_the_belief_of_the_first_row(device: str) -> None:
    ring = make_ring(num_envs=2, slots=5, device=device, latent_shape=LATENTS)
    push_all(ring, History(2), 8)
    context = read_at(ring, start=6, env=1).context
    assert context is not None
    assert context.deter.dtype == context.stoch.dtype == torch.float32
    assert context.deter.tolist() == [[6.0, 1.0, 0.0]]
    assert context.stoch.tolist() == [[[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0]]]  # class 6 % 4


def test_a_row_pushed_without_a_belief_has_all_zeros() -> None:
    ring = make_ring(num_envs=1, latent_shape=LATENTS)
    push_all(ring, History(1), 1)
    ring.push(History(1).rows(1), History(1).action(1))
    assert belief_at(ring, 0, 0) == ([0.0, 0.0, 0.0], [0, 0])
    assert belief_at(ring, 1, 0) == ([0.0, 0.0, 0.0], [-1, -1])


def test_beliefs_are_kept_without_gradient_and_apart_from_their_source() -> None:
    ring = make_ring(num_envs=1, latent_shape=LATENTS)
    deter = torch.full((1, 3), 0.5, requires_grad=True)
    stoch = one_hot(torch.tensor([[1, 3]]))
    ring.push(History(1).rows(0), History(1).action(0), State(deter, stoch))
    with torch.no_grad():
        deter.zero_()
    stoch.zero_()
    assert not ring.storage["latent/deter"].requires_grad
    assert belief_at(ring, 0, 0) == ([0.5, 0.5, 0.5], [1, 3])


@on_devices
def test_written_beliefs_land_on_their_rows_after_the_ring_has_wrapped(device: str) -> None:
    ring = make_ring(num_envs=2, slots=5, device=device, latent_shape=LATENTS)
    push_all(ring, History(2), 13)
    write(ring, time=[[9, 11], [10, 12]], env=[0, 1], value=[[90.0, 111.0], [100.0, 121.0]])
    assert belief_at(ring, 9, 0) == ([90.0] * 3, [2, 2])
    assert belief_at(ring, 10, 0) == ([100.0] * 3, [0, 0])
    assert belief_at(ring, 11, 1) == ([111.0] * 3, [3, 3])
    assert belief_at(ring, 12, 1) == ([121.0] * 3, [1, 1])
    assert belief_at(ring, 11, 0) == ([11.0, 0.0, 0.0], [3, 3])
    assert belief_at(ring, 10, 1) == ([10.0, 1.0, 0.0], [2, 2])


@on_devices
def test_beliefs_of_rows_that_are_gone_or_not_there_yet_are_dropped(device: str) -> None:
    ring = make_ring(num_envs=1, slots=5, device=device, latent_shape=LATENTS)
    push_all(ring, History(1), 13)
    before = {name: tensor.clone() for name, tensor in ring.storage.items()}
    write(ring, time=[[3], [7], [8], [13], [14]], env=[0], value=[[1.0], [2.0], [3.0], [4.0], [5.0]])
    assert all(torch.equal(ring.storage[name], value) for name, value in before.items())


@on_devices
def test_a_write_to_a_row_that_is_gone_does_not_spoil_the_one_that_took_its_slot(device: str) -> None:
    ring = make_ring(num_envs=1, slots=5, device=device, latent_shape=LATENTS)
    push_all(ring, History(1), 13)
    write(ring, time=[[5], [10], [5]], env=[0], value=[[1.0], [2.0], [3.0]])  # all three live in slot 0
    assert belief_at(ring, 10, 0) == ([2.0] * 3, [2, 2])


@on_devices
def test_of_several_writes_to_one_row_the_last_counts(device: str) -> None:
    ring = make_ring(num_envs=1, slots=500, device=device, latent_shape=LATENTS)
    push_all(ring, History(1), 400)
    times = [[step % 20 for _ in range(40)] for step in range(20)]
    values = [[float(10 * step + entry) for entry in range(40)] for step in range(20)]
    write(ring, time=times, env=[0] * 40, value=values)
    assert [belief_at(ring, step, 0)[0][0] for step in range(20)] == [10.0 * step + 39 for step in range(20)]


def test_last_writes_prefers_alive_ones_and_then_late_ones() -> None:
    cell = torch.tensor([4, 2, 4, 4, 2, 9])
    is_alive = torch.tensor([True, True, True, False, True, False])
    cells, source = last_writes(cell, is_alive)
    assert cells.tolist() == [2, 2, 4, 4, 4, 9]
    assert source.tolist() == [4, 4, 2, 2, 2, 5]


@pytest.mark.parametrize(("classes", "dtype"), [(4, torch.uint8), (255, torch.uint8), (256, torch.int16)])
def test_class_numbers_unpack_to_what_was_packed(classes: int, dtype: torch.dtype) -> None:
    beliefs = torch.cat([torch.eye(classes), torch.zeros(1, classes)])
    packed = pack_stoch(beliefs, dtype)
    assert packed.tolist() == [*range(classes), classes]
    assert torch.equal(unpack_stoch(packed, classes), beliefs)


def test_beliefs_of_the_wrong_size_are_refused() -> None:
    ring = make_ring(num_envs=2, latent_shape=LATENTS)
    history = History(2)
    good = history.latents(0)
    for bad in (good._replace(deter=good.deter[:1]), good._replace(stoch=good.stoch[..., :3])):
        with pytest.raises(ValueError, match=r"beliefs must be deter \(2, 3\) and one-hot stoch \(2, 2, 4\)"):
            ring.push(history.rows(0), history.action(0), bad)
    push_all(ring, history, 3)
    with pytest.raises(ValueError, match=r"beliefs must be deter \(2, 2, 3\)"):
        ring.write_latents(torch.tensor([[0, 0], [1, 1]]), torch.tensor([0, 1]), good.deter, good.stoch)


def test_a_ring_without_beliefs_says_so() -> None:
    ring = make_ring(num_envs=2)
    history = History(2)
    with pytest.raises(ValueError, match="keeps no beliefs"):
        ring.push(history.rows(0), history.action(0), history.latents(0))
    with pytest.raises(ValueError, match="keeps no beliefs"):
        ring.write_latents(torch.tensor([0]), torch.tensor([0]), torch.zeros(1, 3), torch.zeros(1, 2, 4))
