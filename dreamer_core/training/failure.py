"""What is left behind when training breaks: which tensor went bad, the batch it met, and how to see it again."""

import shlex
import sys
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from dreamer_core.runs.atomic import write_json, write_text
from dreamer_core.runs.folder import RunFolder

_REPRO = """#!/bin/sh
# Go on from the last checkpoint of this run, or from its start if it has none, to where training stopped: {reason}
# Run it where ./dreamgate is, or set DREAMGATE to it.
run=$(cd "$(dirname "$0")/.." && pwd)
if [ -e "$run/checkpoints/last.json" ]; then
    exec "${{DREAMGATE:-./dreamgate}}" train --resume "$run"
fi
exec "${{DREAMGATE:-./dreamgate}}" train --config "$run/config.json"
"""


def write_bundle(
    folder: RunFolder,
    error: BaseException,
    *,
    step: int,
    env_steps: int,
    tensors: Mapping[str, Tensor],
    first_bad: str | None,
) -> Path:
    """Write failure/{failure.json, batch.safetensors, repro.sh}. The first failure of a run is the one that is kept."""
    path = folder.failure / "failure.json"
    if path.exists():
        return path
    folder.failure.mkdir(exist_ok=True)
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    batch_problem = _save_batch(folder.failure / "batch.safetensors", tensors)
    repro = folder.failure / "repro.sh"
    write_text(repro, _REPRO.format(reason=reason))
    repro.chmod(repro.stat().st_mode | 0o111)
    write_json(
        path,
        {
            "kind": type(error).__name__,
            "message": str(error),
            "first_bad_tensor": first_bad,
            "step": step,
            "env_steps": env_steps,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "command": shlex.join(["dreamgate", *sys.argv[1:]]),
            "batch_problem": batch_problem,
            "traceback": "".join(traceback.format_exception(error)),
        },
    )
    return path


def first_non_finite(named: Iterable[tuple[str, Tensor]]) -> str | None:
    """The name of the first tensor that holds NaN or infinity. Waits for the device."""
    for name, tensor in named:
        if not bool(torch.isfinite(tensor).all()):
            return name
    return None


def _save_batch(path: Path, tensors: Mapping[str, Tensor]) -> str | None:
    """Why it could not be saved, or nothing. The report on a failure must not fail for its largest part."""
    try:
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path)
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None
