"""The worker's side: register, take a job, say how it goes, say how it ended."""

from collections.abc import Mapping, Sequence
from typing import Any

from dreamer_core.remote.calls import Calls
from dreamer_core.remote.errors import Unreadable
from dreamer_core.remote.questions import given
from dreamer_core.remote.reading import read
from dreamer_core.remote.transport import segment
from dreamer_core.remote.worker_messages import (
    ClaimAnswer,
    Ending,
    HeartbeatAnswer,
    Progress,
    Registration,
    WorkerFacts,
    WorkerState,
)


class WorkerCalls(Calls):
    def register_worker(self, facts: WorkerFacts) -> Registration:
        body = {**given(facts), "queues": list(facts.queues), "facts": dict(facts.facts)}
        return read(Registration, self._http.json("POST", "/workers", body))

    def worker_heartbeat(
        self, worker_id: str, state: WorkerState, free_slots: int, problem: str | None = None
    ) -> float:
        """For how many seconds the server counts on this worker from now. NotFound: register again."""
        body = {"state": state, "free_slots": free_slots, "problem": problem}
        found = self._http.json("POST", f"/workers/{segment(worker_id)}/heartbeat", body)
        return _lease_s(found)

    def claim(self, worker_id: str, queues: Sequence[str], free_gpus: int, key: str | None = None) -> ClaimAnswer:
        """`key`: asked again with the same one and for the same, whose answer was lost, it gets the same job."""
        body = {"queues": list(queues), "free_gpus": free_gpus}
        return read(ClaimAnswer, self._http.json("POST", f"/workers/{segment(worker_id)}/claim", body, key=key))

    def job_heartbeat(
        self, run_id: str, lease: str, usage: Mapping[str, Any] | None = None, progress: Progress | None = None
    ) -> HeartbeatAnswer:
        body = {**({"usage": dict(usage)} if usage else {}), **(given(progress) if progress else {})}
        return read(HeartbeatAnswer, self._http.json("POST", f"/jobs/{segment(run_id)}/heartbeat", body, lease=lease))

    def end_job(self, run_id: str, lease: str, ending: Ending) -> str:
        """The state that the run has now. The same ending told again gets the same answer."""
        found = self._http.json("POST", f"/jobs/{segment(run_id)}/end", given(ending), lease=lease)
        if not isinstance(found, Mapping) or not isinstance(found.get("state"), str):
            raise Unreadable("The server's answer to the end of a job has no state.")
        return str(found["state"])


def _lease_s(found: Any) -> float:
    seconds = found.get("lease_s") if isinstance(found, Mapping) else None
    if not isinstance(seconds, int | float):
        raise Unreadable("The server's answer to a heartbeat has no lease_s.")
    return float(seconds)
