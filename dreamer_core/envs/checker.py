"""The environment contract as a program: every broken promise is named, with its likely cause.

Raises AssertionError, because an adapter that breaks the contract is a mistake in code and never in a configuration.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dreamer_core.envs.base import Env, sample_action
from dreamer_core.schema import OBS_PACKED2_SHAPE
from dreamer_core.types import ObsSpec, Spaces, Step

_NUMPY_DTYPES = {"vector": np.float32, "image": np.uint8, "packed2": np.uint8}


class _Moment(NamedTuple):
    step: Step
    copy: dict[str, NDArray[np.generic]]  # the observation as it was when it was returned
    length: int  # steps since the reset


def check_env(env: Env, *, seed: int = 0, steps: int = 64, time_limit: int | None = None) -> None:
    """Play `steps` random steps twice over. Give `time_limit` when the environment is known to have one."""
    _check_spaces(env.spaces)
    walk = _walk(env, seed, steps)
    _check_ownership(walk)
    _check_time_limit(walk, time_limit)
    # State that survives a reset, or global randomness, shows up as a difference.
    _check_same(walk, _walk(env, seed, steps))


def _check_spaces(spaces: Spaces) -> None:
    assert spaces.obs, "spaces.obs is empty: the agent would see nothing"
    for key, spec in spaces.obs.items():
        dimensions = {"vector": 1, "image": 3, "packed2": 3}[spec.kind]
        is_sound = len(spec.shape) == dimensions and min(spec.shape) > 0
        assert is_sound, (
            f"obs {key!r}: kind {spec.kind} has {dimensions} positive dimensions, the spec says {spec.shape}"
        )
        assert spec.kind != "packed2" or spec.shape == OBS_PACKED2_SHAPE, (
            f"obs {key!r}: packed2 is always {OBS_PACKED2_SHAPE}, the spec says {spec.shape}"
        )
    action = spaces.action
    assert min(action.sizes, default=0) > 0, f"action sizes must be positive, the spec says {action.sizes}"
    assert action.kind == "multi_discrete" or len(action.sizes) == 1, (
        f"a {action.kind} action has one size, the spec says {action.sizes}; several heads are multi_discrete"
    )


def _walk(env: Env, seed: int, steps: int) -> list[_Moment]:
    """Random actions over as many episodes as fit, each with the next seed."""
    rng = np.random.default_rng(seed)
    walk = [_start(env, seed)]
    for _ in range(steps):
        last = walk[-1]
        if last.step.terminated or last.step.truncated:
            seed += 1
            walk.append(_start(env, seed))
            continue
        action = sample_action(env.spaces.action, rng)
        given = action.copy()
        step = env.step(given)
        assert np.array_equal(given, action), "step() wrote into the action it was given: work on a copy"
        walk.append(_observe(env, step, last.length + 1))
    return walk


def _start(env: Env, seed: int) -> _Moment:
    moment = _observe(env, env.reset(seed), 0)
    step = moment.step
    assert step.reward == 0.0, f"reset() returned reward {step.reward}: nothing was done yet, so it is 0"
    is_over = step.terminated or step.truncated
    assert not is_over, "reset() returned a finished episode: the flags of the last one were kept"
    return moment


def _observe(env: Env, step: Step, length: int) -> _Moment:
    _check_signals(step, length)
    assert step.obs.keys() == env.spaces.obs.keys(), (
        f"the observation has keys {sorted(step.obs)}, the spec says {sorted(env.spaces.obs)}"
    )
    for key, value in step.obs.items():
        _check_value(key, value, env.spaces.obs[key])
    return _Moment(step, {key: value.copy() for key, value in step.obs.items()}, length)


def _check_signals(step: Step, length: int) -> None:
    is_number = isinstance(step.reward, float) and np.isfinite(step.reward)
    assert is_number, (
        f"the reward at step {length} is {step.reward!r} ({type(step.reward).__name__}): it must be a finite float; "
        "wrap it in float()"
    )
    for name, flag in (("terminated", step.terminated), ("truncated", step.truncated)):
        assert isinstance(flag, bool), f"{name} at step {length} is a {type(flag).__name__}: wrap it in bool()"
    assert not (step.terminated and step.truncated), (
        f"step {length} is terminated and truncated: when the world really ended, the time limit no longer matters"
    )


def _check_value(key: str, value: NDArray[np.generic], spec: ObsSpec) -> None:
    assert isinstance(value, np.ndarray), f"obs {key!r} is a {type(value).__name__}: it must be a numpy array"
    dtype = _NUMPY_DTYPES[spec.kind]
    assert value.dtype == dtype, (
        f"obs {key!r} is {value.dtype}, a {spec.kind} is {np.dtype(dtype)}: convert it in the adapter, "
        "float64 is numpy's default and seldom meant"
    )
    assert value.shape == spec.shape, f"obs {key!r} has shape {value.shape}, the spec says {spec.shape}: " + (
        "images are (channels, height, width)" if spec.kind == "image" else "flatten it in the adapter"
    )
    assert spec.kind != "vector" or np.isfinite(value.astype(np.float32)).all(), f"obs {key!r} is not finite: {value}"


def _check_ownership(walk: Sequence[_Moment]) -> None:
    """Replay stores what it was given: a buffer that the environment keeps writing into would shift it by a row."""
    for index, moment in enumerate(walk):
        for key, value in moment.step.obs.items():
            assert np.array_equal(value, moment.copy[key]), (
                f"obs {key!r} of moment {index} changed after it was returned: "
                "the environment reuses one buffer; return a copy"
            )
            assert index == 0 or not np.shares_memory(value, walk[index - 1].step.obs[key]), (
                f"obs {key!r} of moments {index - 1} and {index} are the same memory: return a copy"
            )


def _check_time_limit(walk: Sequence[_Moment], limit: int | None) -> None:
    if limit is None:
        return
    longest = max(moment.length for moment in walk)
    assert longest <= limit, f"an episode went on for {longest} steps past its time limit of {limit}"
    at_limit = [moment.step for moment in walk if moment.length == limit]
    assert all(step.terminated or step.truncated for step in at_limit), f"step {limit} reached the limit, but no flag"
    is_honest = not at_limit or any(step.truncated for step in at_limit)
    assert is_honest, (
        f"every episode that reached {limit} steps claims to be terminated: a time limit alone is a truncation, "
        "or the agent learns that the world ends there"
    )


def _check_same(first: Sequence[_Moment], second: Sequence[_Moment]) -> None:
    cause = "something outlives reset(seed), or a draw does not come from a generator that reset seeds"
    for index, (before, after) in enumerate(zip(first, second, strict=True)):
        assert before.step[1:] == after.step[1:], (
            f"the same seed and actions gave {before.step[1:]} and then {after.step[1:]} at moment {index}: {cause}"
        )
        for key, value in before.copy.items():
            assert np.array_equal(value, after.copy[key]), (
                f"the same seed and actions gave two different {key!r} at moment {index}: {cause}"
            )
