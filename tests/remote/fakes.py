"""Servers that exist only here: one that answers what it was told to, and one that keeps records by offset."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx2

from dreamer_core.remote import Client

Answer = httpx2.Response | BaseException
REFUSED = httpx2.ConnectError("[Errno 111] Connection refused")


class Scripted:
    """Answers in this order, the last one for ever, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


Serve = Callable[..., Scripted]


class RecordStore:
    """One run's stream, as the server keeps it: what is known is skipped, a gap is refused."""

    def __init__(self, known: int = 0) -> None:
        self.records: list[dict[str, Any]] = [{"env_steps": step} for step in range(known)]
        self.is_away = False
        self.loses_answers = 0  # stores so many appends without the sender hearing of it
        self.most = 20_000
        self.batches: list[int] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_away:
            raise REFUSED
        if request.method == "GET":
            return httpx2.Response(200, json={"from": 0, "records": [], "total": len(self.records)})
        return self._append(json.loads(request.read()))

    def _append(self, body: dict[str, Any]) -> httpx2.Response:
        offset, records = body["offset"], body["records"]
        if len(records) > self.most:
            return refusal(413, "too_large", f"{len(records)} records are too many.")
        if any(record.get("bad") for record in records):
            return refusal(422, "invalid", "records: bad")
        if offset > len(self.records):
            return refusal(409, "gap", "There is a gap.", expected=len(self.records))
        self.batches.append(len(records))
        self.records += records[len(self.records) - offset :]
        if self.loses_answers:
            self.loses_answers -= 1
            raise httpx2.ReadError("connection reset")
        return httpx2.Response(200, json={"records": len(self.records)})


def client_of(handler: Callable[[httpx2.Request], httpx2.Response], *, patience_s: float = 5.0) -> Client:
    http = httpx2.Client(transport=httpx2.MockTransport(handler))
    return Client("http://server.test", "a token", patience_s=patience_s, http=http)


def refusal(status: int, code: str, message: str, **more: Any) -> httpx2.Response:
    """In the shape in which the server says every error."""
    error = {"code": code, "message": message, "where": None, "seen": None, "todo": None, **more}
    return httpx2.Response(status, json={"error": error})


def ok(body: Any) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def sent(server: Scripted, number: int = 0) -> Any:
    """The body of one of the requests."""
    return json.loads(server.asked[number].content)


def event_stream(*events: Iterable[str]) -> httpx2.Response:
    text = "".join("\n".join(lines) + "\n\n" for lines in events)
    return httpx2.Response(200, text=text, headers={"Content-Type": "text/event-stream"})


RUN = {
    "id": "k3x9c2m5q7dw",
    "experiment": {"id": "b2c3d4f5g6h7", "name": "mine"},
    "name": "a run",
    "kind": "import",
    "state": "running",
    "reason": None,
    "error": None,
    "version": 1,
    "preset": None,
    "env": None,
    "recipe": None,
    "mode": None,
    "seed": 0,
    "family": None,
    "fingerprint": None,
    "seed_group": "0123456789ab",
    "commit": None,
    "config": {},
    "parent_id": None,
    "hypothesis": "",
    "primary_metric": None,
    "stop_rule": "",
    "hypothesis_fixed": True,
    "conclusion": "",
    "notes": "",
    "tags": ["first"],
    "env_steps": 40,
    "train_steps": 20,
    "total_steps": 100,
    "steps_per_s": 2,
    "progress": 0.4,
    "eta_s": 30.0,
    "created_at": "2026-11-21T10:00:00.000+00:00",
    "started_at": None,
    "ended_at": None,
    "updated_at": "2026-11-21T10:00:00.000+00:00",
    "deleted_at": None,
    "is_job": False,
    "metrics": {"Loss/total": "NaN"},
}


def a_run(**changes: Any) -> dict[str, Any]:
    return {**RUN, **changes}


def a_job(run_id: str, **changes: Any) -> dict[str, Any]:
    job = {
        "run_id": run_id,
        "run": a_run(id=run_id, is_job=True, config=None),
        "state": "queued",
        "queue": "cpu",
        "priority": 0,
        "gpus": 0,
        "arguments": {},
        "checkpoint_run_id": None,
        "checkpoint": None,
        "needs": [],
        "unmet_needs": 0,
        "limits": {},
        "position": 1,
        "attempts": [],
        "cancel_requested": False,
        "lease_until": None,
        "usage": None,
        "queued_at": "2026-11-21T10:00:00.000+00:00",
        "not_before": None,
    }
    return {**job, **changes}
