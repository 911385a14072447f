"""What one row of replay holds and how many rows fit, known before anything is allocated."""

import math
from typing import NamedTuple

import torch

from dreamer_core import schema
from dreamer_core.errors import ConfigError
from dreamer_core.types import Spaces

OBS_PREFIX = "obs/"
DETER, STOCH = "latent/deter", "latent/stoch"


class LatentShape(NamedTuple):
    """The sizes of a stored belief: D, S and C of the shape legend."""

    deter: int
    stoch: int
    classes: int


class Field(NamedTuple):
    """One tensor of the ring, without its leading time and environment dimensions."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def row_fields(spaces: Spaces, latents: LatentShape | None = None) -> dict[str, Field]:
    """Everything stored for one moment of one environment, by name."""
    fields = {OBS_PREFIX + key: Field(tuple(spec.shape), spec.dtype) for key, spec in spaces.obs.items()}
    action_dtype = torch.float32 if spaces.action.is_continuous else schema.ACTION_DTYPE
    fields["action"] = Field((spaces.action.stored_width,), action_dtype)
    fields["reward"] = Field((), schema.REWARD_DTYPE)
    fields |= {flag: Field((), torch.bool) for flag in ("is_first", "terminated", "truncated")}
    fields["episode_id"] = Field((), schema.EPISODE_ID_DTYPE)
    if latents is not None:
        # Half precision and class numbers: for D=512, S=32, C=16 that is 1,056 bytes instead of 4,096.
        fields[DETER] = Field((latents.deter,), torch.float16)
        # One number more than there are classes: `classes` itself says that the row has no belief.
        fields[STOCH] = Field((latents.stoch,), torch.uint8 if latents.classes < 256 else torch.int16)
    return fields


def row_bytes(spaces: Spaces, latents: LatentShape | None = None) -> int:
    return sum(field.size_bytes for field in row_fields(spaces, latents).values())


def least_slots(window: int, commit_stride: int, safety_margin: int) -> int:
    """The smallest ring that always has `window` readable rows: one slot is the head, up to stride - 1 uncommitted."""
    return window + 1 + (commit_stride - 1) + safety_margin


def time_slots(
    spaces: Spaces,
    *,
    num_envs: int,
    capacity: int,
    max_bytes: int,
    latents: LatentShape | None = None,
    at_least: int = 1,
) -> int:
    """How many moments of all environments fit into `capacity` rows and into `max_bytes`."""
    slot_bytes = num_envs * row_bytes(spaces, latents)
    limits = [("replay.capacity", capacity, num_envs, "rows"), ("replay.max_bytes", max_bytes, slot_bytes, "bytes")]
    for key, limit, cost, unit in limits:
        if limit // cost < at_least:
            raise ConfigError(
                key,
                f"{limit:,} {unit} hold {limit // cost:,} moments of {num_envs} environments ({cost:,} {unit} each), "
                f"but {at_least:,} are needed: set it to {at_least * cost:,} or more, or use fewer environments, "
                "shorter sequences or smaller observations",
            )
    return min(limit // cost for _, limit, cost, _ in limits)
