"""Every sequence comes up once soon after it was collected, and only then by chance."""

import torch

from dreamer_core.config.tree import ReplayConfig
from dreamer_core.replay.buffer import Replay
from dreamer_core.replay.online import OnlineQueue
from dreamer_core.replay.sampling import Windows
from dreamer_core.rng import make_generator
from tests.unit.replay_history import SPACES, History, make_ring, on_devices, push_all


def pairs(windows: Windows) -> list[tuple[int, int]]:
    """(start, environment) of each window."""
    return list(zip(windows.start.tolist(), windows.env.tolist(), strict=True))


def make_replay(num_envs: int = 2, seq_len: int = 3, batch_size: int = 4, slots: int = 20) -> Replay:
    config = ReplayConfig(capacity=num_envs * slots, seq_len=seq_len, batch_size=batch_size, online=True)
    return Replay(config, SPACES, num_envs=num_envs)


@on_devices
def test_sequences_leave_the_queue_once_and_in_the_order_they_were_completed(device: str) -> None:
    ring = make_ring(num_envs=2, slots=20, device=device)
    queue = OnlineQueue(ring, 3)
    push_all(ring, History(2), 8)
    assert len(queue) == 4
    assert pairs(queue.take(3)) == [(0, 0), (0, 1), (3, 0)]
    assert pairs(queue.take(3)) == [(3, 1)]
    assert pairs(queue.take(3)) == []
    push_all(ring, History(2), 1)
    assert pairs(queue.take(3)) == [(6, 0), (6, 1)]


def test_a_sequence_waits_until_its_last_row_is_readable() -> None:
    ring = make_ring(num_envs=1, slots=20, commit_stride=2, safety_margin=1)
    queue = OnlineQueue(ring, 3)
    push_all(ring, History(1), 3)
    assert len(queue) == 0
    push_all(ring, History(1), 1)
    assert pairs(queue.take(9)) == [(0, 0)]


def test_overwritten_sequences_are_dropped() -> None:
    ring = make_ring(num_envs=2, slots=8)
    queue = OnlineQueue(ring, 3)
    push_all(ring, History(2), 11)  # rows 4 to 10 are readable: of [0,3) [3,6) [6,9) only the last is whole
    assert len(queue) == 2
    assert pairs(queue.take(9)) == [(6, 0), (6, 1)]


def test_the_queue_never_holds_more_than_the_ring() -> None:
    ring = make_ring(num_envs=2, slots=10)
    queue = OnlineQueue(ring, 3)
    longest = 0
    for _ in range(100):
        push_all(ring, History(2), 1)
        longest = max(longest, len(queue))
    assert longest == 6  # nine readable rows hold three whole sequences of two environments


def test_taking_at_every_push_of_a_long_history_gives_each_sequence_exactly_once() -> None:
    ring = make_ring(num_envs=2, slots=9)
    queue = OnlineQueue(ring, 4)
    taken = []
    for _ in range(41):
        push_all(ring, History(2), 1)
        taken += pairs(queue.take(1))
    assert taken == [(start, env) for start in range(0, 40, 4) for env in (0, 1)]


def test_a_batch_begins_with_what_is_queued_and_goes_on_at_random() -> None:
    replay = make_replay(num_envs=2, seq_len=3, batch_size=5)
    push_all(replay.ring, History(2), 10)
    generator = make_generator(0)
    first, second = replay.sample(generator), replay.sample(generator)
    assert pairs(Windows(first.time[0], first.env)) == [(0, 0), (0, 1), (3, 0), (3, 1), (6, 0)]
    assert pairs(Windows(second.time[0], second.env))[0] == (6, 1)
    assert first.obs["place"][:, 3].tolist() == [[3.0, 1.0], [4.0, 1.0], [5.0, 1.0]]
    assert len(replay.queue) == 0


def test_the_queue_does_not_shift_the_random_part_of_later_batches() -> None:
    with_queue, without = make_replay(), make_replay()
    for replay in (with_queue, without):
        push_all(replay.ring, History(2), 12)
    without.queue.take(100)
    left, right = make_generator(3), make_generator(3)
    for _ in range(2):  # two batches of four empty the queue of eight
        with_queue.sample(left)
        without.sample(right)
    assert torch.equal(with_queue.sample(left).time, without.sample(right).time)


def test_without_online_no_sequence_is_queued_first() -> None:
    config = ReplayConfig(capacity=2000, seq_len=3, batch_size=4)
    replay = Replay(config, SPACES, num_envs=2)
    push_all(replay.ring, History(2), 900)
    starts = replay.sample(make_generator(0)).time[0]
    assert starts.min() > 10
