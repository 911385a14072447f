"""The ground that a job starts on: nobody else writes in its folder; what lies there is kept, fetched or cleared."""

import shutil
import time
from dataclasses import dataclass

from dreamer_core.errors import UsageError
from dreamer_core.remote import Client
from dreamer_core.remote.work import Claim
from dreamer_core.runs import manifest
from dreamer_core.runs.folder import RunFolder
from worker import inputs
from worker.checkpoints import resumable_at
from worker.places import Desk
from worker.stopping import StopOrder

_LOOK_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Ground:
    folder: RunFolder
    resumes_at: int | None  # environment steps; None: the run begins in a folder that is not there yet


def wait_until_free(folder: RunFolder, order: StopOrder, patience_s: float) -> None:
    """The child of a worker that was killed may still be saving. Raises UsageError when it does not end."""
    deadline = time.monotonic() + patience_s
    while folder.path.is_dir() and not order:
        try:
            for rank in _ranks_with_locks(folder):
                with folder.locked(rank):
                    pass
            return
        except UsageError:
            if time.monotonic() > deadline:
                raise
        order.wait(_LOOK_S)


def lay(client: Client, claim: Claim, folder: RunFolder, desk: Desk, *, afresh: bool) -> Ground:
    """Go on from the furthest state there is, here or on the server, or clear the ground."""
    at = None if claim.kind != "train" or afresh else _state(client, claim, folder, desk)
    if at is None and folder.path.exists():
        shutil.rmtree(folder.path)
    return Ground(folder=folder, resumes_at=at)


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
