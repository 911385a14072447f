"""What a job begins from: a checkpoint of another run, or its own run as another worker left it."""

import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath

from dreamer_core.errors import UsageError
from dreamer_core.remote import Client
from dreamer_core.remote.errors import NotFound
from dreamer_core.remote.shapes import Artifact
from dreamer_core.remote.worker_messages import CheckpointOf
from worker.checkpoints import REPLAY, pointed, step_of
from worker.places import Desk, Places

_LAST = "checkpoints/last.json"


def find_checkpoint(client: Client, places: Places, desk: Desk, asked: CheckpointOf) -> Path:
    """The folder of a checkpoint on this machine: the one that the server means, where it was trained or fetched."""
    here = places.run(asked.run_id).checkpoints
    name = asked.which
    if name in ("best", "last"):
        name = _follow(client, here, desk.checkpoint, asked)
    seal = here / name / "checkpoint.json"
    if step_of(name) >= 0 and seal.is_file() and _is_meant(seal, desk.checkpoint / f"checkpoints/{asked.which}.json"):
        return here / name
    return _fetch_checkpoint(client, desk.checkpoint, asked.run_id, name)


def step_on_server(client: Client, run_id: str, desk: Desk) -> int | None:
    """Where a run could go on from that another worker left behind whole; None if none did."""
    names = {artifact.name for artifact in client.list_artifacts(run_id, "checkpoints/")}
    if _LAST not in names:
        return None
    client.download_artifact(run_id, _LAST, desk.arriving / _LAST)
    last = pointed(desk.arriving / "checkpoints", "last.json")
    return step_of(last) if last is not None and f"checkpoints/{last}/{REPLAY}" in names else None


def fetch_run(client: Client, run_id: str, desk: Desk, to: Path) -> None:
    """The whole of it, in place of what is here."""
    for artifact in client.list_artifacts(run_id):
        client.download_artifact(run_id, artifact.name, _inside(desk.arriving, artifact))
    if to.exists():
        shutil.rmtree(to)
    desk.arriving.rename(to)


def _follow(client: Client, here: Path, to: Path, asked: CheckpointOf) -> str:
    """The name of a run's best or last checkpoint: the server knows it, or else the run's folder."""
    pointer = f"checkpoints/{asked.which}.json"
    try:
        client.download_artifact(asked.run_id, pointer, to / pointer)
        name = pointed(to / "checkpoints", f"{asked.which}.json")
    except NotFound:
        name = pointed(here, f"{asked.which}.json")
    if name is None:
        raise UsageError(f"run {asked.run_id} has no {asked.which} checkpoint yet: let it train until it has one")
    return name


def _is_meant(seal: Path, pointer: Path) -> bool:
    """A run that another worker started over has other checkpoints under the same names."""
    try:
        meant = json.loads(pointer.read_bytes())["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return True  # nobody said which
    return bool(meant == hashlib.sha256(seal.read_bytes()).hexdigest())


def _fetch_checkpoint(client: Client, to: Path, run_id: str, name: str) -> Path:
    files = client.list_artifacts(run_id, f"checkpoints/{name}/")
    if step_of(name) < 0 or not files:
        raise UsageError(f"run {run_id} has no checkpoint {name!r}, neither here nor on the server; give best or last")
    for file in files:
        if not file.name.endswith(f"/{REPLAY}"):
            client.download_artifact(run_id, file.name, _inside(to, file))
    return to / "checkpoints" / name


def _inside(folder: Path, artifact: Artifact) -> Path:
    """A name is somebody else's word: it must stay below the folder."""
    name = PurePosixPath(artifact.name)
    if name.is_absolute() or ".." in name.parts:
        raise UsageError(f"the server has an artifact with the name {artifact.name!r}, which is no place to write to")
    return folder / name
