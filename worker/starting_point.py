"""What a job starts from: nobody else writes in its folder; what lies there is kept, fetched or cleared."""

import contextlib
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from dreamer_core.errors import UsageError
from dreamer_core.remote import Client
from dreamer_core.remote.worker_messages import Claim
from dreamer_core.runs import manifest
from dreamer_core.runs.folder import RunFolder
from worker import inputs
from worker.checkpoints import resumable_at
from worker.places import Desk
from worker.stopping import StopOrder

log = logging.getLogger(__name__)

_LOOK_S = 0.2
_MORE_S = 10.0  # than the grace: that of the attempt before may have begun a little later, and ends with a kill


@dataclass(frozen=True, kw_only=True)
class StartingPoint:
    folder: RunFolder
    resumes_at: int | None  # environment steps; None: the run begins in a folder that is not there yet


def wait_until_free(folder: RunFolder, desk: Desk, order: StopOrder, patience_s: float) -> None:
    """The child of a worker that was killed may still be saving; one that does not end is killed.

    Raises UsageError where somebody else does not leave the folder.
    """
    deadline = time.monotonic() + patience_s + _MORE_S
    has_killed = False
    while folder.path.is_dir() and not order:
        try:
            for rank in _ranks_with_locks(folder):
                with folder.locked(rank):
                    pass
            return
        except UsageError:
            if time.monotonic() > deadline:
                if has_killed or not _kill_orphans(folder, desk):
                    raise
                has_killed, deadline = True, time.monotonic() + _MORE_S
        order.wait(_LOOK_S)


def _kill_orphans(folder: RunFolder, desk: Desk) -> bool:
    """Those that hold the folder and work at some attempt's desk: only a worker's children do."""
    found = [process for rank in _ranks_with_locks(folder) if (process := _holder(folder, rank, desk)) is not None]
    for process in found:
        log.warning("%s: process %d of an earlier attempt does not end, and is killed", folder.path, process.pid)
        with contextlib.suppress(psutil.Error):
            process.kill()
    return bool(found)


def _holder(folder: RunFolder, rank: int, desk: Desk) -> psutil.Process | None:
    try:
        process = psutil.Process(int(folder.lock(rank).read_text()))
        return process if Path(process.cwd()).is_relative_to(desk.path.parent.resolve()) else None
    except (OSError, ValueError, psutil.Error):
        return None


def prepare(client: Client, claim: Claim, folder: RunFolder, desk: Desk, *, afresh: bool) -> StartingPoint:
    """Go on from the furthest state there is, here or on the server, or clear the folder."""
    at = None if claim.kind != "train" or afresh else _state(client, claim, folder, desk)
    if at is None and folder.path.exists():
        shutil.rmtree(folder.path)
    return StartingPoint(folder=folder, resumes_at=at)


def _state(client: Client, claim: Claim, folder: RunFolder, desk: Desk) -> int | None:
    ranks = max(1, claim.gpus)
    here = resumable_at(folder, ranks)
    if claim.attempt == 1:  # nobody has been anywhere else
        return here
    if here is not None and not _is_of_this_run(client, claim, folder):
        here = None
    there = inputs.step_on_server(client, claim.run_id, desk)
    if there is None or (here is not None and here >= there):
        return here
    inputs.fetch_run(client, claim.run_id, desk, folder.path)
    return resumable_at(folder, ranks)


def _is_of_this_run(client: Client, claim: Claim, folder: RunFolder) -> bool:
    """Once retried, a run begins anew; elsewhere, its folder from before would still look as if one could go on."""
    known = client.get_manifest(claim.run_id)
    try:
        return known is None or known.get("trace_id") == manifest.read(folder).trace_id
    except UsageError:
        return False


def _ranks_with_locks(folder: RunFolder) -> list[int]:
    return sorted({0, *(int(path.name.removeprefix(".lock-")) for path in folder.path.glob(".lock-*[0-9]"))})
