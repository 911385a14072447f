"""An evaluation, a benchmark or a film as a run of its own: a folder with a manifest that is true however it ends."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from dreamer_core.config.tree import Config
from dreamer_core.errors import Stopped
from dreamer_core.metrics.sink import JsonlSink
from dreamer_core.runs import manifest
from dreamer_core.runs.folder import RunFolder, create_run_in
from dreamer_core.runs.manifest import Kind, Status


@contextmanager
def recording(path: Path, config: Config, kind: Kind, *, device: str | None = None) -> Iterator[RunFolder]:
    """Make a run of what is done inside. Asked to stop, it stops at once: there is no state to save."""
    folder = create_run_in(path, config)
    manifest.start_manifest(folder, config, kind, device=device)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with folder.locked():
            yield folder
    except BaseException as error:
        _close(folder, error)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    manifest.update(folder, status="succeeded", stop_reason="done")


def record(
    folder: RunFolder, numbers: Mapping[str, float], *, env_steps: int, train_steps: int, wall_time_s: float = 0.0
) -> None:
    """A record of such a run: the only one of an evaluation, one for each lap of a benchmark.

    The steps are those of what was looked at.
    """
    found = manifest.read(folder)
    identity: dict[str, float | str] = {"run_id": found.run_id, "trace_id": found.trace_id}
    steps = {"env_steps": env_steps, "train_steps": train_steps}
    JsonlSink(folder.metrics).write(identity | steps | {"wall_time_s": wall_time_s} | dict(numbers))


def _close(folder: RunFolder, error: BaseException) -> None:
    status: Status = "interrupted" if isinstance(error, Stopped | KeyboardInterrupt) else "failed"
    words = f"{type(error).__name__}: {error}" if status == "failed" else None
    manifest.update(folder, status=status, stop_reason=str(error) or "interrupted", error=words)


def _stop(number: int, frame: FrameType | None) -> Any:
    raise Stopped(f"stopped by {signal.Signals(number).name} before the end; nothing of it counts, start it again")
