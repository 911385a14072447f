"""What the child is called with: a job as the words of the core's own command line."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamer_core.errors import UsageError
from worker import leash, ranks

_RANKS = str(Path(ranks.__file__).absolute())

# What a job of each kind may be told, beside its config or checkpoint.
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "train": (),
    "eval": ("episodes", "greedy", "seed"),
    "bench": ("updates", "warmup", "laps"),
    "viz": ("context", "horizon", "seed"),
}


def resume(folder: Path, words: Sequence[str], *, processes: int = 1) -> list[str]:
    """Go on with the training run in `folder`. `words` are what may change then: `algo.total_steps=8000`."""
    return [*_launch(processes), "train", "--resume", str(folder), "--json", *words]


def begin(
    kind: str,
    folder: Path,
    *,
    config: Path,
    checkpoint: Path | None,
    arguments: Mapping[str, Any],
    words: Sequence[str] = (),
    processes: int = 1,
) -> list[str]:
    """Make the run in `folder`, from its config, from a checkpoint, or (mode dreamer) from both."""
    if kind not in _ARGUMENTS:
        raise UsageError(f"this worker knows no jobs of kind {kind!r}, it knows {', '.join(_ARGUMENTS)}")
    command = [*_launch(processes if kind == "train" else 1), kind, "--into", str(folder), "--json"]
    if kind in ("train", "bench"):
        command += ["--config", str(config), *words]
    if checkpoint is not None:
        command += ["--checkpoint", str(checkpoint)]
    return command + _options(kind, arguments)


def launches(command: Sequence[str]) -> bool:
    """Whether it is torchrun, and the job is its ranks."""
    return _RANKS in command


def _launch(processes: int) -> list[str]:
    core = [sys.executable, "-P", "-m", "dreamer_core.cli.main"]
    if processes <= 1:
        return core
    torchrun = [sys.executable, "-P", _RANKS]
    # torchrun does not take its ranks along when it is killed, so each is on a leash of its own.
    held = [sys.executable, "-I", "-S", str(Path(leash.__file__).absolute()), leash.WHOEVER]
    return [*torchrun, "--standalone", "--nproc-per-node", str(processes), "--no-python", *held, *core]


def _options(kind: str, arguments: Mapping[str, Any]) -> list[str]:
    options: list[str] = []
    for name, value in arguments.items():
        if name not in _ARGUMENTS[kind]:
            known = ", ".join(_ARGUMENTS[kind]) or "none"
            raise UsageError(f"a job of kind {kind} has no argument {name!r}; it has {known}")
        if value is True:
            options.append(f"--{name}")
        elif value is not None and value is not False:
            options += [f"--{name}", str(value)]
    return options
