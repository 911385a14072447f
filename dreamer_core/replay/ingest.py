"""What a row must look like before it may enter the ring."""

from collections.abc import Mapping

from torch import Tensor

from dreamer_core import schema
from dreamer_core.replay.layout import OBS_PREFIX, Field, LatentShape
from dreamer_core.types import ActionSpec, Rows, Spaces, State


def check_row(rows: Rows, action: Tensor, spaces: Spaces, fields: Mapping[str, Field], num_envs: int) -> None:
    """Raise ValueError where a name, a type or a shape is not the one that the ring was made for."""
    if rows.obs.keys() != spaces.obs.keys():
        raise ValueError(f"observations must be {sorted(spaces.obs)}, got {sorted(rows.obs)}")
    for key, value in rows.obs.items():
        if spaces.obs[key].kind == "packed2":
            schema.assert_packed2_obs(value[None], OBS_PREFIX + key)
        _check_dtype(value, OBS_PREFIX + key, fields)
    _check_action(action, spaces.action)
    schema.assert_float32(rows.reward, "reward")
    flags = {"is_first": rows.is_first, "terminated": rows.terminated, "truncated": rows.truncated}
    for name, flag in flags.items():
        _check_dtype(flag, name, fields)
    values = {OBS_PREFIX + key: value for key, value in rows.obs.items()}
    for name, value in {**values, **flags, "action": action, "reward": rows.reward}.items():
        expected = (num_envs, *fields[name].shape)
        if value.shape != expected:
            raise ValueError(f"{name} must have shape {expected}, got {tuple(value.shape)}")


def check_starts(is_first: Tensor, after_last: Tensor, time: int) -> None:
    """A row that follows the end of an episode, or nothing at all, must start one."""
    orphans = after_last & ~is_first
    if orphans.any():
        env = int(orphans.nonzero()[0])
        raise ValueError(
            f"environment {env}, time {time}: this row follows the end of an episode, so is_first must be true; "
            "push the observation of the reset as a row of its own"
        )


def check_latents(latents: State, sizes: LatentShape, leading: tuple[int, ...]) -> None:
    expected = ((*leading, sizes.deter), (*leading, sizes.stoch, sizes.classes))
    found = (tuple(latents.deter.shape), tuple(latents.stoch.shape))
    if found != expected:
        raise ValueError(f"beliefs must be deter {expected[0]} and one-hot stoch {expected[1]}, got {found}")


def _check_action(action: Tensor, spec: ActionSpec) -> None:
    if spec.is_continuous:
        schema.assert_float32(action, "action")
    else:
        schema.assert_int(action, "action")


def _check_dtype(value: Tensor, name: str, fields: Mapping[str, Field]) -> None:
    if value.dtype != fields[name].dtype:
        raise ValueError(f"{name} must be {fields[name].dtype}, got {value.dtype}")
