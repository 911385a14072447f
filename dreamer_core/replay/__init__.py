"""Memory of what happened: a ring of rows, and batches of sequences drawn from it."""

from dreamer_core.replay.buffer import Replay, estimated_bytes
from dreamer_core.replay.layout import LatentShape, row_bytes
from dreamer_core.replay.ring import ReplayRing

__all__ = ["LatentShape", "Replay", "ReplayRing", "estimated_bytes", "row_bytes"]
