"""A server in memory, and the client that talks to it: the same rules of offsets, leases and artifacts, no network."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from dreamer_core.remote import Client
from dreamer_core.remote.errors import Gap, LeaseLost, NotFound, RemoteError, Unreachable
from dreamer_core.remote.shapes import Artifact
from dreamer_core.remote.worker_messages import (
    CheckpointOf,
    Claim,
    ClaimAnswer,
    Ending,
    HeartbeatAnswer,
    Progress,
    Registration,
    WorkerFacts,
)

RUN, TOKEN = "k3x9c2m5q7dw", "the-lease"


class FakeServer:
    """Its attributes are what a test looks at and turns."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.log = b""
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.rewinds: list[tuple[int, int]] = []
        self.endings: list[Ending] = []
        self.beats: list[tuple[Mapping[str, float] | None, Progress | None]] = []
        self.states: list[str] = []
        self.problem: str | None = None
        self.registered: list[WorkerFacts] = []
        self.manifest: dict[str, Any] | None = None
        self.queue: list[Claim] = []
        self.claimed: dict[str, Claim | None] = {}  # by key
        self.loses_claims = 0  # so many answers do not arrive
        self.is_away = False
        self.is_lost = False  # the lease
        self.cancels = False
        self.refuses: Any = None  # a record that holds this key
        self.is_full = False  # the place for artifacts
        self.breaks = 0  # so many endings are answered with 500
        self.lock = threading.Lock()

    @property
    def client(self) -> Client:
        return cast("Client", FakeClient(self))


class FakeClient:
    def __init__(self, server: FakeServer) -> None:
        self.server = server

    def append_metrics(self, run_id: str, offset: int, records: Sequence[dict[str, Any]], *, lease: str) -> int:
        self._ask("metrics", lease)
        if any(self.server.refuses in record for record in records):
            raise RemoteError("invalid", f"{self.server.refuses} is not a number", 422)
        return _append(self.server.records, offset, list(records))

    def append_events(self, run_id: str, offset: int, events: Sequence[dict[str, Any]], lease: str) -> int:
        self._ask("events", lease)
        return _append(self.server.events, offset, list(events))

    def append_log(self, run_id: str, offset: int, data: bytes, lease: str) -> int:
        self._ask("log", lease)
        if offset > len(self.server.log):
            raise Gap("a gap", expected=len(self.server.log))
        self.server.log += data[len(self.server.log) - offset :]
        return len(self.server.log)

    def rewind(self, run_id: str, records: int, events: int, lease: str) -> None:
        self._ask("rewind", lease)
        self.server.rewinds.append((records, events))
        del self.server.records[records:]
        del self.server.events[events:]

    def put_manifest(self, run_id: str, manifest: dict[str, Any], lease: str) -> None:
        self._ask("manifest", lease)
        self.server.manifest = manifest

    def get_manifest(self, run_id: str) -> dict[str, Any] | None:
        self._ask("get manifest")
        return self.server.manifest

    def list_artifacts(self, run_id: str, prefix: str = "") -> tuple[Artifact, ...]:
        self._ask("list")
        return tuple(_artifact(name, body) for name, body in self.server.files.items() if name.startswith(prefix))

    def upload_artifact(self, run_id: str, name: str, path: Path, lease: str) -> Artifact:
        self._ask(f"upload {name}", lease)
        if self.server.is_full:
            raise RemoteError("unavailable", "no space is left for artifacts", 507)
        self.server.files[name] = path.read_bytes()
        return _artifact(name, self.server.files[name])

    def download_artifact(self, run_id: str, name: str, to: Path) -> Path:
        self._ask(f"download {name}")
        if name not in self.server.files:
            raise NotFound("not_found", f"no artifact {name}", 404)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(self.server.files[name])
        return to

    def delete_artifact(self, run_id: str, name: str, lease: str) -> None:
        self._ask(f"delete {name}", lease)
        del self.server.files[name]

    def register_worker(self, facts: WorkerFacts) -> Registration:
        self._ask("register")
        self.server.registered.append(facts)
        return Registration(id="worker-1", lease_s=0.4)

    def worker_heartbeat(self, worker_id: str, state: str, free_slots: int, problem: str | None = None) -> float:
        self._ask("worker heartbeat")
        self.server.states.append(state)
        self.server.problem = problem
        return 0.4

    def claim(self, worker_id: str, queues: Sequence[str], free_gpus: int, key: str) -> ClaimAnswer:
        self._ask("claim")
        with self.server.lock:
            if key not in self.server.claimed:
                self.server.claimed[key] = self.server.queue.pop(0) if self.server.queue else None
            if self.server.loses_claims:
                self.server.loses_claims -= 1
                raise Unreachable("the answer was lost")
            return ClaimAnswer(claim=self.server.claimed[key], wait=False)

    def job_heartbeat(
        self, run_id: str, lease: str, usage: Mapping[str, float] | None = None, progress: Progress | None = None
    ) -> HeartbeatAnswer:
        self._ask("heartbeat", lease)
        self.server.beats.append((usage, progress))
        return HeartbeatAnswer(cancel=self.server.cancels, lease_s=0.4)

    def end_job(self, run_id: str, lease: str, ending: Ending) -> str:
        self._ask("end", lease)
        if self.server.breaks:
            self.server.breaks -= 1
            raise RemoteError("http_500", "the server met an error", 500)
        self.server.endings.append(ending)
        return ending.outcome

    def _ask(self, what: str, lease: str | None = None) -> None:
        if self.server.is_away:
            raise Unreachable("nobody answers")
        if lease is not None and (self.server.is_lost or lease != TOKEN):
            raise LeaseLost("lease_lost", "another attempt has the run now", 409)
        self.server.calls.append(what)


def a_claim(**changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "run_id": RUN, "token": TOKEN, "attempt": 1, "kind": "train", "name": "a run", "config": {}, "arguments": {},
        "mode": "train", "seed": 0, "commit": None, "checkpoint": None, "gpus": 0, "limits": {}, "lease_s": 0.4,
        "records": 0, "events": 0, "log_bytes": 0, "resume_changes": (), "fresh": False,
    }  # fmt: skip
    return Claim(**{**fields, **changes})


def a_checkpoint_of(run_id: str = RUN, which: str = "best") -> CheckpointOf:
    return CheckpointOf(run_id=run_id, which=which)


def _append(stored: list[dict[str, Any]], offset: int, items: list[dict[str, Any]]) -> int:
    if offset > len(stored):
        raise Gap("a gap", expected=len(stored))
    stored += items[len(stored) - offset :]
    return len(stored)


def _artifact(name: str, body: bytes) -> Artifact:
    sha256 = hashlib.sha256(body).hexdigest()
    return Artifact(name=name, size=len(body), sha256=sha256, media_type="", created_at="", url="")
