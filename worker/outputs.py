"""What a run leaves behind becomes artifacts on the server: its papers, scores and films, the best and last checkpoint.

A checkpoint goes up file by file and its pointer last, so whoever follows a pointer finds all of it. What no pointer
names any more is taken away after that.
"""

import contextlib
import json
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from dreamer_core.remote import Client
from dreamer_core.remote.errors import NotFound
from dreamer_core.remote.worker_messages import Claim
from dreamer_core.runs.digest import sha256_of
from dreamer_core.runs.folder import RunFolder
from worker.checkpoints import POINTERS, REPLAY, pointed

_BEST = "best.json"
_FOLDERS = ("eval", "videos", "failure")
_STREAMS = ("metrics.jsonl", "events.jsonl")  # to the last byte, for a worker elsewhere that goes on
_OURS = ("checkpoints/", "ranks/", *_STREAMS)  # what is taken away again; a person may have added other artifacts


class Outputs:
    """Safe to use from several threads; one sends at a time."""

    def __init__(self, client: Client, claim: Claim, folder: RunFolder) -> None:
        self._client, self._run_id, self._lease = client, claim.run_id, claim.token
        self._folder = folder
        self._bests: list[str] = []  # what was sent of them
        self._manifest = b""
        self._turn = threading.Lock()

    def send_manifest(self) -> None:
        """If it has changed."""
        with self._turn:
            try:
                content = self._folder.manifest.read_bytes()
            except FileNotFoundError:  # not yet, or not any more: a child that died early begins anew
                return
            if content != self._manifest:
                self._client.put_manifest(self._run_id, json.loads(content), self._lease)
                self._manifest = content

    def send_best(self) -> None:
        """The best checkpoint, if there is a new one, and the evaluations."""
        with self._turn, tempfile.TemporaryDirectory() as aside:
            pointer = Path(aside) / _BEST  # as it is now: while gigabytes go up, the run may find a better one
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(self._folder.checkpoints / _BEST, pointer)
            best = pointed(Path(aside), _BEST)
            if best is not None and best not in self._bests[-1:]:
                self._send([*self._checkpoint(best), *self._below("eval")])
                self._client.upload_artifact(self._run_id, f"checkpoints/{_BEST}", pointer, lease=self._lease)
                self._bests.append(best)
                self._retire()

    def send_all(self, *, to_go_on: bool) -> None:
        """Everything that is worth keeping. `to_go_on`: and what a worker elsewhere needs to resume."""
        with self._turn:
            wanted = [*self._papers(), *self._checkpoints(), *(self._to_go_on() if to_go_on else ())]
            pointers = [f"checkpoints/{name}" for name in POINTERS if (self._folder.checkpoints / name).is_file()]
            self._send([*wanted, *pointers])
            self._take_away(keep={*wanted, *pointers})

    def forget(self) -> None:
        """The run begins anew: the checkpoints of its earlier life are nobody's any more."""
        with self._turn:
            self._take_away(keep=set())

    def _papers(self) -> Iterator[str]:
        for path in sorted(self._folder.path.glob("[!.]*")):
            if path.is_file() and path.name not in _STREAMS:
                yield path.name
        for name in _FOLDERS:
            yield from self._below(name)

    def _checkpoints(self) -> Iterator[str]:
        for name in sorted({pointed(self._folder.checkpoints, pointer) or "" for pointer in POINTERS} - {""}):
            yield from self._checkpoint(name)

    def _checkpoint(self, name: str) -> Iterator[str]:
        return (file for file in self._below(f"checkpoints/{name}") if not file.endswith(f"/{REPLAY}"))

    def _to_go_on(self) -> Iterator[str]:
        yield from (name for name in _STREAMS if (self._folder.path / name).is_file())
        yield from self._below("ranks")
        last = pointed(self._folder.checkpoints, "last.json")
        if last is not None and (self._folder.checkpoints / last / REPLAY).is_file():
            yield f"checkpoints/{last}/{REPLAY}"

    def _below(self, where: str) -> Iterator[str]:
        """Names of whole files; those that are still being written begin with a dot."""
        for path in sorted((self._folder.path / where).rglob("[!.]*")):
            if path.is_file():
                yield str(path.relative_to(self._folder.path))

    def _retire(self) -> None:
        """Bests of before, but for the last one: somebody may be fetching it. Nor that from which the run can go on."""
        while len(self._bests) > 2:
            name = self._bests.pop(0)
            there = {artifact.name for artifact in self._client.list_artifacts(self._run_id, f"checkpoints/{name}/")}
            if name not in self._bests and f"checkpoints/{name}/{REPLAY}" not in there:
                self._delete(there)

    def _send(self, names: list[str]) -> None:
        there = {artifact.name: artifact for artifact in self._client.list_artifacts(self._run_id)}
        for name in names:
            path, known = self._folder.path / name, there.get(name)
            if known is None or known.size != path.stat().st_size or known.sha256 != sha256_of(path):
                self._client.upload_artifact(self._run_id, name, path, lease=self._lease)

    def _take_away(self, keep: set[str]) -> None:
        there = (artifact.name for artifact in self._client.list_artifacts(self._run_id))
        self._delete(name for name in there if name.startswith(_OURS) and name not in keep)

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(NotFound):
                self._client.delete_artifact(self._run_id, name, lease=self._lease)
