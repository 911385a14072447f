"""A rectangular ring of rows, [time, environment, ...], on any device.

Times are absolute: row t is the t-th moment ever pushed, and lives in slot t % slots until row t + slots replaces it.
A learner may read `oldest <= t < end`. Rows join that range when they are committed, and leave it one push before they
are overwritten, so a writer in the middle of a push never touches what a reader may see.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from dreamer_core.replay.ingest import check_latents, check_row, check_starts
from dreamer_core.replay.invariants import check_history
from dreamer_core.replay.latents import last_writes, pack_stoch, unpack_stoch
from dreamer_core.replay.layout import DETER, OBS_PREFIX, STOCH, LatentShape, least_slots, row_fields, time_slots
from dreamer_core.types import NO_ACTION, Rows, Spaces, State


class ReplayRing:
    def __init__(
        self,
        spaces: Spaces,
        *,
        num_envs: int,
        capacity: int,
        max_bytes: int,
        device: torch.device | str = "cpu",
        latent_shape: LatentShape | None = None,
        commit_stride: int = 1,
        safety_margin: int = 0,
        window: int = 1,
    ) -> None:
        """`window` is the longest sequence that will be asked for: a ring too small for it is refused."""
        self.spaces = spaces
        self.num_envs = num_envs
        self.device = torch.device(device)
        self.latent_shape = latent_shape
        self.commit_stride = commit_stride
        self.safety_margin = safety_margin
        self.fields = row_fields(spaces, latent_shape)
        self.slots = time_slots(
            spaces,
            num_envs=num_envs,
            capacity=capacity,
            max_bytes=max_bytes,
            latents=latent_shape,
            at_least=least_slots(window, commit_stride, safety_margin),
        )
        self.storage = {
            name: _allocate((self.slots, num_envs, *field.shape), field.dtype, self.device)
            for name, field in self.fields.items()
        }
        self.written = 0
        self._no_action = 0.0 if spaces.action.is_continuous else NO_ACTION
        self._episode_id = torch.full((num_envs,), -1, dtype=torch.int32)
        self._was_last = torch.ones(num_envs, dtype=torch.bool)

    def __len__(self) -> int:
        """Rows held, over all environments."""
        return self.used_slots * self.num_envs

    @property
    def used_slots(self) -> int:
        return min(self.written, self.slots)

    @property
    def size_bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.storage.values())

    @property
    def committed(self) -> int:
        """Rows before this time are complete. Advances to `written` once in `commit_stride` pushes."""
        return self.written // self.commit_stride * self.commit_stride

    @property
    def oldest(self) -> int:
        """The first readable time. In a full ring that is not the head, which the next push overwrites."""
        return max(0, self.written - self.slots + 1)

    @property
    def end(self) -> int:
        """The time after the last readable one."""
        return max(self.oldest, self.committed - self.safety_margin)

    def push(self, rows: Rows, action: Tensor, latents: State | None = None) -> None:
        """Append one moment of every environment; everything is copied.

        `action` (N, stored width) was chosen after seeing `rows`. The last row of an episode has none, so NO_ACTION
        (zeros if continuous) is stored there, whatever is passed. Without `latents` a row has no belief: all zeros.
        """
        check_row(rows, action, self.spaces, self.fields, self.num_envs)
        is_first, is_last = rows.is_first.cpu(), rows.is_last.cpu()
        check_starts(is_first, self._was_last, self.written)
        self._end_abandoned(is_first & ~self._was_last)
        self._episode_id += is_first
        values = self._row_values(rows, action, latents)
        slot = self.written % self.slots
        for name, value in values.items():
            self.storage[name][slot].copy_(value)
        self._erase_actions(slot, is_last)
        self._was_last = is_last
        self.written += 1  # last: only now may a reader count on the row

    def write_latents(self, time: Tensor, env: Tensor, deter: Tensor, stoch: Tensor) -> None:
        """Replace stored beliefs: `time` and `env` broadcast to the leading dimensions of deter (..., D) and stoch
        (..., S, C). Rows that are gone are skipped; of several writes to one row the last one counts.
        """
        if self.latent_shape is None:
            raise ValueError("this ring keeps no beliefs: make it with a latent_shape")
        time, env = torch.broadcast_tensors(time, env)
        check_latents(State(deter, stoch), self.latent_shape, tuple(time.shape))
        time, env = time.flatten(), env.flatten()
        is_alive = (time >= self.oldest) & (time < self.written)
        cell, source = last_writes(self.cells(time, env), is_alive)
        is_kept = is_alive[source, None]
        values = {DETER: deter.detach(), STOCH: pack_stoch(stoch.detach(), self.fields[STOCH].dtype)}
        for name, value in values.items():
            stored = self.storage[name].flatten(0, 1)
            fresh = value.reshape(-1, stored.shape[-1])[source].to(stored.dtype)
            # A dead write stores what is there already: shapes stay fixed, and nothing waits for the device.
            stored.index_copy_(0, cell, torch.where(is_kept, fresh, stored.index_select(0, cell)))

    def cells(self, time: Tensor, env: Tensor) -> Tensor:
        """Row numbers into a storage tensor whose first two dimensions are flattened into one."""
        return time % self.slots * self.num_envs + env

    def gather(self, name: str, cell: Tensor) -> Tensor:
        """A copy of the rows at `cell`, in its shape."""
        # index_select copies whole rows; indexing with two tensors moves single elements (8 times slower for pixels).
        rows = self.storage[name].flatten(0, 1).index_select(0, cell.flatten())
        return rows.view(*cell.shape, *self.fields[name].shape)

    def belief(self, cell: Tensor) -> State | None:
        if self.latent_shape is None:
            return None
        return State(
            self.gather(DETER, cell).float(), unpack_stoch(self.gather(STOCH, cell), self.latent_shape.classes)
        )

    def check_invariants(self) -> None:
        """Raise DreamgateError, with environment and time, if the stored flags do not tell one consistent story."""
        start = self.written - self.used_slots
        slots = torch.arange(start, self.written, device=self.device) % self.slots
        names = ("is_first", "terminated", "truncated", "episode_id", "action")
        check_history({name: self.storage[name][slots].cpu() for name in names}, start, self._no_action)

    def resume_at(self, written: int) -> None:
        """Take up a history of `written` rows whose tensors are in place already."""
        self.written = written
        self._episode_id.fill_(-1)
        self._was_last.fill_(True)
        if written:
            newest = {name: tensor[(written - 1) % self.slots].cpu() for name, tensor in self.storage.items()}
            self._episode_id.copy_(newest["episode_id"])
            self._was_last.copy_(newest["terminated"] | newest["truncated"])

    def _row_values(self, rows: Rows, action: Tensor, latents: State | None) -> Mapping[str, Tensor]:
        values = {OBS_PREFIX + key: value for key, value in rows.obs.items()}
        values |= {"action": action, "reward": rows.reward, "episode_id": self._episode_id}
        values |= {"is_first": rows.is_first, "terminated": rows.terminated, "truncated": rows.truncated}
        return values | self._latent_values(latents)

    def _latent_values(self, latents: State | None) -> dict[str, Tensor]:
        if self.latent_shape is None:
            if latents is not None:
                raise ValueError("this ring keeps no beliefs: make it with a latent_shape, or push without latents")
            return {}
        if latents is None:
            nothing = torch.zeros((), device=self.device)
            return {DETER: nothing, STOCH: nothing + self.latent_shape.classes}
        check_latents(latents, self.latent_shape, (self.num_envs,))
        return {DETER: latents.deter.detach(), STOCH: pack_stoch(latents.stoch.detach(), self.fields[STOCH].dtype)}

    def _end_abandoned(self, abandoned: Tensor) -> None:
        """An episode that was cut off, as by a resume, ends where it was left: nobody knows how it went on."""
        if abandoned.any():
            slot = (self.written - 1) % self.slots
            self.storage["truncated"][slot].logical_or_(abandoned.to(self.device))
            self._erase_actions(slot, abandoned)

    def _erase_actions(self, slot: int, is_last: Tensor) -> None:
        if is_last.any():
            self.storage["action"][slot].masked_fill_(is_last[:, None].to(self.device), self._no_action)


def _allocate(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    # NumPy's zeros are pages that the system hands out when first written: an empty ring costs next to no memory.
    # torch.zeros, and torch.empty in deterministic mode, would touch all of it.
    size_bytes = int(np.prod(shape)) * dtype.itemsize
    return torch.from_numpy(np.zeros(size_bytes, dtype=np.uint8)).view(dtype).view(shape)
