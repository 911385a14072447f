"""Whatever is pushed, replay stays consistent and gives back exactly that."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.replay.ring import ReplayRing
from dreamer_core.replay.sampling import ready, sample
from dreamer_core.rng import make_generator
from dreamer_core.types import Batch
from tests.unit.replay_history import History, make_ring, push_all

Ends = set[tuple[int, int]]

LENGTH = 40
ends = st.sets(st.tuples(st.integers(0, LENGTH - 1), st.integers(0, 2)), max_size=30)


def assert_is_history(batch: Batch, history: History) -> None:
    """Every row of every window is the row that was pushed at that time in that environment."""
    for entry, env in enumerate(batch.env.tolist()):
        for step, time in enumerate(batch.time[:, entry].tolist()):
            rows, at = history.rows(time), (step, entry)
            assert batch.obs["place"][at].tolist() == [time, env]
            assert batch.obs["screen"][at].unique().tolist() == [(10 * time + env) % 256]
            assert batch.reward[at] == rows.reward[env]
            assert batch.action[at] == history.action(time)[env]
            assert batch.is_first[at] == rows.is_first[env]
            assert batch.terminated[at] == rows.terminated[env]
            assert batch.truncated[at] == rows.truncated[env]
            assert batch.continues[at] == (0.0 if (time, env) in history.terminated else 1.0)


def assert_is_readable(batch: Batch, ring: ReplayRing) -> None:
    assert batch.time.min() >= max(0, ring.written - ring.slots + 1)
    assert batch.time.max() < ring.written // ring.commit_stride * ring.commit_stride - ring.safety_margin
    assert (batch.time.diff(dim=0) == 1).all()


@settings(deadline=None, max_examples=60)
@given(
    terminated=ends,
    truncated=ends,
    num_envs=st.integers(1, 3),
    slots=st.integers(6, 20),
    commit_stride=st.integers(1, 2),
    safety_margin=st.integers(0, 1),
    seq_len=st.integers(1, 3),
    chunks=st.lists(st.integers(1, 9), max_size=8),
)
def test_any_history_stays_consistent_and_is_read_back_as_pushed(
    terminated: Ends,
    truncated: Ends,
    num_envs: int,
    slots: int,
    commit_stride: int,
    safety_margin: int,
    seq_len: int,
    chunks: list[int],
) -> None:
    history = History(num_envs, terminated=terminated, truncated=truncated)
    ring = make_ring(num_envs, slots, commit_stride=commit_stride, safety_margin=safety_margin)
    generator = make_generator(0)
    for chunk in chunks:
        push_all(ring, history, chunk)
        ring.check_invariants()
        if ready(ring, seq_len):
            batch = sample(ring, 4, seq_len, generator)
            assert_is_readable(batch, ring)
            assert_is_history(batch, history)
    assert len(ring) == min(sum(chunks), slots) * num_envs
