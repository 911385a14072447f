"""The ring as plain tensors and integers, so that a resumed run draws the batches that it would have drawn."""

from collections.abc import Mapping

from torch import Tensor

from dreamer_core.errors import CheckpointError
from dreamer_core.replay.ring import ReplayRing


def to_tensors(ring: ReplayRing) -> dict[str, Tensor]:
    """The slots in use, by field name, in slot order. Views into the ring: write them out before the next push."""
    return {name: tensor[: ring.used_slots] for name, tensor in ring.storage.items()}


def state(ring: ReplayRing) -> dict[str, int]:
    return {"written": ring.written, "slots": ring.slots, "num_envs": ring.num_envs}


def restore(ring: ReplayRing, tensors: Mapping[str, Tensor], counters: Mapping[str, int]) -> None:
    """Put back what `to_tensors` and `state` gave. Raises CheckpointError, before anything is changed, if it does not
    fit this ring.
    """
    _check_counters(ring, counters)
    _check_tensors(ring, tensors, min(counters["written"], ring.slots))
    for name, tensor in tensors.items():
        ring.storage[name][: len(tensor)].copy_(tensor)
    ring.resume_at(counters["written"])


def _check_counters(ring: ReplayRing, counters: Mapping[str, int]) -> None:
    written = counters.get("written")
    if written is None or written < 0:
        raise CheckpointError(f"the saved replay is damaged: it says that {written} rows were written")
    for name, value in (("slots", ring.slots), ("num_envs", ring.num_envs)):
        if counters.get(name) != value:
            raise CheckpointError(
                f"the saved replay has {name} = {counters.get(name)}, this run has {value}: resume with the same "
                "replay.capacity, replay.max_bytes, env.num_envs and observations as the saved run"
            )


def _check_tensors(ring: ReplayRing, tensors: Mapping[str, Tensor], used_slots: int) -> None:
    if tensors.keys() != ring.fields.keys():
        raise CheckpointError(f"the saved replay holds {sorted(tensors)}, this run keeps {sorted(ring.fields)}")
    for name, field in ring.fields.items():
        expected = (used_slots, ring.num_envs, *field.shape)
        found = tensors[name]
        if found.dtype != field.dtype or found.shape != expected:
            raise CheckpointError(
                f"the saved replay's {name} is {found.dtype} {tuple(found.shape)}, expected {field.dtype} {expected}"
            )
