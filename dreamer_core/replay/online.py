"""New experience first: every sequence is trained on once, soon after it was collected.

The rows of each environment are cut into sequences that do not overlap, [0, L), [L, 2L), ... When its last row becomes
readable, a sequence is queued, oldest first and, at equal age, by environment. A batch begins with what is queued. What
was overwritten before its turn came is dropped, so the queue can never hold more than the ring does.
"""

import torch

from dreamer_core.replay.ring import ReplayRing
from dreamer_core.replay.sampling import Windows


class OnlineQueue:
    """All environments advance together, so the queue is one number: how many sequences have left it so far."""

    def __init__(self, ring: ReplayRing, seq_len: int) -> None:
        self._ring = ring
        self._seq_len = seq_len
        self.taken = 0

    def __len__(self) -> int:
        completed = self._ring.end // self._seq_len * self._ring.num_envs
        return max(0, completed - self._next())

    def take(self, limit: int) -> Windows:
        """Remove up to `limit` sequences, the longest waiting first."""
        first = self._next()
        self.taken = first + min(limit, len(self))
        number = torch.arange(first, self.taken, device=self._ring.device)
        return Windows(start=number // self._ring.num_envs * self._seq_len, env=number % self._ring.num_envs)

    def _next(self) -> int:
        """The number of the first sequence that has not left and is not overwritten, counted from the first ever."""
        first_whole = -(-self._ring.oldest // self._seq_len)
        return max(self.taken, first_whole * self._ring.num_envs)
