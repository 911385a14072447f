"""Replay as the training loop sees it: rows in, batches out."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dreamer_core.config.tree import ReplayConfig
from dreamer_core.errors import CheckpointError
from dreamer_core.replay import sampling, snapshot
from dreamer_core.replay.layout import LatentShape, least_slots, row_bytes, time_slots
from dreamer_core.replay.online import OnlineQueue
from dreamer_core.replay.ring import ReplayRing
from dreamer_core.types import Batch, Rows, Spaces, State


def estimated_bytes(
    config: ReplayConfig,
    spaces: Spaces,
    *,
    num_envs: int,
    latent_shape: LatentShape | None = None,
    context: int = 0,
) -> int:
    """The memory of this replay when full; raises ConfigError where making it would. Allocates nothing."""
    slots = time_slots(
        spaces,
        num_envs=num_envs,
        capacity=config.capacity,
        max_bytes=config.max_bytes,
        latents=latent_shape,
        at_least=least_slots(context + config.seq_len, config.commit_stride, config.safety_margin),
    )
    return slots * num_envs * row_bytes(spaces, latent_shape)


class Replay:
    def __init__(
        self,
        config: ReplayConfig,
        spaces: Spaces,
        *,
        num_envs: int,
        device: torch.device | str = "cpu",
        latent_shape: LatentShape | None = None,
        context: int = 0,
    ) -> None:
        """`context` rows come before the `seq_len` rows to train on, for their belief: batches are that much longer."""
        self.batch_size = config.batch_size
        self.window = context + config.seq_len
        self.ring = ReplayRing(
            spaces,
            num_envs=num_envs,
            capacity=config.capacity,
            max_bytes=config.max_bytes,
            device=device,
            latent_shape=latent_shape,
            commit_stride=config.commit_stride,
            safety_margin=config.safety_margin,
            window=self.window,
        )
        self.is_online = config.online
        self.queue = OnlineQueue(self.ring, self.window)

    def __len__(self) -> int:
        """Rows held, over all environments."""
        return len(self.ring)

    @property
    def committed(self) -> int:
        return self.ring.committed

    @property
    def ready(self) -> bool:
        return sampling.ready(self.ring, self.window)

    def add(self, rows: Rows, action: Tensor, latents: State | None = None) -> None:
        self.ring.push(rows, action, latents)

    def sample(self, generator: torch.Generator) -> Batch:
        """(T, B) sequences: queued ones first when replay is online, the others uniform."""
        uniform = sampling.draw(self.ring, self.batch_size, self.window, generator)
        return sampling.read(self.ring, self._with_queued(uniform), self.window)

    def write_latents(self, time: Tensor, env: Tensor, belief: State) -> None:
        self.ring.write_latents(time, env, belief.deter, belief.stoch)

    def tensors(self) -> dict[str, Tensor]:
        """Views into the ring: write them out before the next `add`."""
        return snapshot.to_tensors(self.ring)

    def state(self) -> dict[str, int]:
        return {**snapshot.state(self.ring), "online_taken": self.queue.taken}

    def restore(self, tensors: Mapping[str, Tensor], state: Mapping[str, int]) -> None:
        """Raises CheckpointError, before anything is changed, if what was saved does not fit."""
        taken = state.get("online_taken", -1)
        if taken < 0:
            raise CheckpointError("the saved replay is damaged: it does not say how far its online queue had come")
        snapshot.restore(self.ring, tensors, state)
        self.queue.taken = taken

    def _with_queued(self, uniform: sampling.Windows) -> sampling.Windows:
        # All of the batch is drawn and then partly replaced, so a draw uses up equally much randomness every time.
        if not self.is_online:
            return uniform
        queued = self.queue.take(self.batch_size)
        kept = len(queued.start)
        return sampling.Windows(*(torch.cat([new, drawn[kept:]]) for new, drawn in zip(queued, uniform, strict=True)))
