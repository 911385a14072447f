"""What lies in a run's folder of checkpoints, as far as a worker must know it: names, steps, and what can go on."""

import json
import re
from pathlib import Path

from dreamer_core.runs.folder import RunFolder

POINTERS = ("best.json", "last.json")
REPLAY = "replay.safetensors"  # the largest file; needed to go on, not to evaluate

_SEAL = "checkpoint.json"
_NAME = re.compile(r"step_(\d{12,})(?:_\d+)?")


def pointed(checkpoints: Path, pointer: str) -> str | None:
    """The name of the checkpoint that `best.json` or `last.json` names, if it is one."""
    try:
        name = json.loads((checkpoints / pointer).read_bytes())["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else None


def step_of(name: str) -> int:
    """Environment steps, from the name of a checkpoint."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else -1


def resumable_at(folder: RunFolder, ranks: int) -> int | None:
    """The step from which a training run can go on; None where it must start over."""
    if not (folder.manifest.is_file() and folder.config.is_file()):
        return None
    places = [folder.checkpoints, *(folder.path / "ranks" / str(rank) / "checkpoints" for rank in range(1, ranks))]
    steps = {_whole_last(place) for place in places}
    return steps.pop() if len(steps) == 1 else None  # killed while they saved, ranks stand at different moments


def _whole_last(checkpoints: Path) -> int | None:
    name = pointed(checkpoints, "last.json")
    if name is None or not all((checkpoints / name / file).is_file() for file in (_SEAL, REPLAY)):
        return None
    return step_of(name)
