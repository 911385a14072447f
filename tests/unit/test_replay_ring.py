"""The ring keeps what was pushed, apart from its source, and shows a learner only what is complete."""

from dataclasses import replace

import pytest
import torch

from dreamer_core.errors import DreamgateError
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.types import NO_ACTION, ActionSpec, ObsSpec, Spaces
from tests.unit.replay_history import SPACES, History, make_ring, on_devices, push_all

PACKED2 = Spaces(
    obs={"pixels": ObsSpec(kind="packed2", shape=(1, 72, 20))}, action=ActionSpec(kind="discrete", sizes=(8,))
)


@on_devices
def test_a_full_ring_holds_the_newest_rows_each_in_its_slot(device: str) -> None:
    ring = make_ring(num_envs=2, slots=4, device=device)
    push_all(ring, History(2), 6)
    assert ring.storage["reward"][:, 0].tolist() == [4.0, 5.0, 2.0, 3.0]
    assert ring.storage["reward"][:, 1].tolist() == [104.0, 105.0, 102.0, 103.0]
    assert len(ring) == 8


@on_devices
def test_the_row_that_is_overwritten_next_is_not_readable(device: str) -> None:
    ring = make_ring(slots=4, device=device)
    readable = []
    for _ in range(6):
        push_all(ring, History(2), 1)
        readable.append((ring.oldest, ring.end))
    assert readable == [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 6)]


def test_rows_become_readable_in_strides() -> None:
    ring = make_ring(slots=9, commit_stride=3)
    ends = []
    for _ in range(7):
        push_all(ring, History(2), 1)
        ends.append(ring.end)
    assert ends == [0, 0, 3, 3, 3, 6, 6]
    assert ring.committed == 6


def test_the_safety_margin_keeps_the_newest_rows_from_the_learner() -> None:
    ring = make_ring(slots=9, safety_margin=2)
    push_all(ring, History(2), 1)
    assert (ring.oldest, ring.end) == (0, 0)
    push_all(ring, History(2), 4)
    assert (ring.oldest, ring.end) == (0, 3)


def test_the_smallest_ring_that_is_accepted_always_has_a_window_to_read() -> None:
    ring = make_ring(num_envs=1, slots=3 + 1 + 3 + 2, commit_stride=4, safety_margin=2, window=3)
    push_all(ring, History(1), 9)
    for _ in range(20):
        assert ring.end - ring.oldest >= 3
        push_all(ring, History(1), 1)


@on_devices
def test_pixels_stay_bytes(device: str) -> None:
    ring = make_ring(device=device)
    push_all(ring, History(2), 3)
    assert ring.storage["obs/screen"].dtype == torch.uint8
    assert ring.storage["obs/screen"][2, 1].unique().tolist() == [21]


@on_devices
def test_changing_the_source_after_a_push_changes_nothing(device: str) -> None:
    ring = make_ring(num_envs=2, slots=4, device=device)
    history = History(2)
    rows, action = history.rows(0), history.action(0)
    ring.push(rows, action)
    before = {name: tensor[0].clone() for name, tensor in ring.storage.items()}
    for tensor in (*rows.obs.values(), rows.reward, action):
        tensor.add_(7)
    for flag in (rows.is_first, rows.terminated, rows.truncated):
        flag.logical_not_()
    assert all(torch.equal(ring.storage[name][0], value) for name, value in before.items())
    push_all(ring, history, 1)  # the flags kept for the next push are copies too
    ring.check_invariants()


@on_devices
def test_the_episode_id_rises_by_one_at_each_first_row_of_its_environment(device: str) -> None:
    ring = make_ring(num_envs=2, slots=8, device=device)
    push_all(ring, History(2, terminated={(1, 0)}, truncated={(2, 0), (3, 1)}), 6)
    assert ring.storage["episode_id"][:6].T.tolist() == [[0, 0, 1, 2, 2, 2], [0, 0, 0, 0, 1, 1]]
    ring.check_invariants()


def test_the_last_row_of_an_episode_stores_no_action_whatever_was_passed() -> None:
    ring = make_ring(num_envs=2)
    history = History(2, terminated={(0, 1)})
    ring.push(history.rows(0), torch.tensor([[3], [4]]))
    assert ring.storage["action"][0].tolist() == [[3], [NO_ACTION]]


def test_the_last_row_of_an_episode_stores_zeros_for_a_continuous_action() -> None:
    spaces = replace(SPACES, action=ActionSpec(kind="continuous", sizes=(2,)))
    ring = ReplayRing(spaces, num_envs=2, capacity=8, max_bytes=10**6)
    ring.push(History(2, truncated={(0, 1)}).rows(0), torch.tensor([[0.5, -0.5], [0.25, 1.0]]))
    assert ring.storage["action"][0].tolist() == [[0.5, -0.5], [0.0, 0.0]]
    ring.check_invariants()


@on_devices
def test_an_abandoned_episode_is_truncated_where_it_was_left(device: str) -> None:
    ring = make_ring(num_envs=2, device=device)
    push_all(ring, History(2), 3)
    restarted = History(2).rows(0)
    ring.push(restarted, torch.tensor([[1], [1]]))
    assert ring.storage["truncated"][:4].T.tolist() == [[False, False, True, False]] * 2
    assert ring.storage["action"][2].flatten().tolist() == [NO_ACTION, NO_ACTION]
    assert ring.storage["episode_id"][3].tolist() == [1, 1]
    ring.check_invariants()


def test_a_row_after_the_end_of_an_episode_must_be_a_first_row() -> None:
    ring = make_ring(num_envs=2)
    push_all(ring, History(2, terminated={(0, 1)}), 1)
    with pytest.raises(ValueError, match=r"environment 1, time 1: .* is_first must be true"):
        ring.push(History(2).rows(1), History(2).action(1))
    assert ring.written == 1


def test_the_very_first_row_must_be_a_first_row() -> None:
    with pytest.raises(ValueError, match="environment 0, time 0"):
        make_ring().push(History(2).rows(1), History(2).action(1))


def test_rows_of_the_wrong_kind_are_refused_by_name() -> None:
    ring = make_ring(num_envs=2)
    rows, action = History(2).rows(0), History(2).action(0)
    screen, place = rows.obs["screen"], rows.obs["place"]
    wrong = {
        r"obs/screen must be torch.uint8, got torch.float32": (
            rows._replace(obs={"place": place, "screen": screen.float()}),
            action,
        ),
        r"obs/place must have shape \(2, 2\), got \(1, 2\)": (
            rows._replace(obs={"place": place[:1], "screen": screen}),
            action,
        ),
        r"observations must be \['place', 'screen'\]": (rows._replace(obs={"place": place}), action),
        r"reward must be torch.float32, got torch.float64": (rows._replace(reward=rows.reward.double()), action),
        r"terminated must be torch.bool": (rows._replace(terminated=rows.terminated.float()), action),
        r"action must be int32 or int64": (rows, action.float()),
        r"action must have shape \(2, 1\), got \(2,\)": (rows, action[:, 0]),
    }
    for message, (bad_rows, bad_action) in wrong.items():
        with pytest.raises(ValueError, match=message):
            ring.push(bad_rows, bad_action)
    assert ring.written == 0


def test_packed_pixels_are_kept_in_their_packed_shape() -> None:
    ring = ReplayRing(PACKED2, num_envs=2, capacity=8, max_bytes=10**6)
    packed = torch.full((2, 1, 72, 20), 228, dtype=torch.uint8)
    rows = History(2).rows(0)._replace(obs={"pixels": packed})
    ring.push(rows, History(2).action(0))
    assert torch.equal(ring.storage["obs/pixels"][0], packed)
    with pytest.raises(ValueError, match=r"obs/pixels must be \[T, B, 1, 72, 20\]"):
        ring.push(rows._replace(obs={"pixels": packed[:, :, :, :10]}), History(2).action(1))


@pytest.mark.parametrize(
    ("name", "time", "value", "message"),
    [
        ("episode_id", 3, 0, "environment 1 at time 3: the episode id is lower"),
        ("is_first", 4, True, "environment 1 at time 4: is_first and a new episode id"),
        ("is_first", 2, False, "environment 1 at time 2: is_first and a new episode id"),
        ("terminated", 3, True, "environment 1 at time 3: the last row of an episode has an action"),
        ("truncated", 1, False, "environment 1 at time 2: a first row follows a row that is not a last row"),
        ("action", 1, 2, "environment 1 at time 1: the last row of an episode has an action"),
        ("is_first", 0, False, "environment 1 at time 0: the very first row"),
    ],
)
def test_a_broken_history_is_reported_with_environment_and_time(name: str, time: int, value: int, message: str) -> None:
    ring = make_ring(num_envs=2)
    push_all(ring, History(2, truncated={(1, 1)}), 6)
    ring.check_invariants()
    ring.storage[name][time, 1] = value
    with pytest.raises(DreamgateError, match=message):
        ring.check_invariants()


def test_a_last_row_without_a_first_row_after_it_is_reported_by_its_absolute_time() -> None:
    ring = make_ring(num_envs=1, slots=4)
    push_all(ring, History(1), 10)
    ring.storage["terminated"][7 % 4, 0] = True
    ring.storage["action"][7 % 4, 0] = NO_ACTION
    with pytest.raises(DreamgateError, match="environment 0 at time 8: the row after a last row"):
        ring.check_invariants()


def test_an_empty_ring_has_no_broken_history() -> None:
    make_ring().check_invariants()
