"""Jobs: put them into the queue, look at them, take them out, put them back."""

from collections.abc import Mapping, Sequence
from typing import Any

from dreamer_core.remote.calls import Calls, present
from dreamer_core.remote.questions import Submission
from dreamer_core.remote.reading import read, read_all
from dreamer_core.remote.shapes import Job, Page, Queue
from dreamer_core.remote.transport import segment
from dreamer_core.remote.worker_messages import Worker


class JobCalls(Calls):
    def submit(self, asked: Submission) -> tuple[Job, ...]:
        """One job, or one for each seed; all of them or, when anything is wrong with one, none."""
        return read_all(Job, self._http.json("POST", "/jobs", asked.body(), makes=True))

    def clone(self, run_id: str, changes: Sequence[str] = (), **fields: Any) -> tuple[Job, ...]:
        """A new job with the config of a run and some changes to it. `fields` as in a Submission."""
        body = {"changes": list(changes), **fields}
        return read_all(Job, self._http.json("POST", f"/runs/{segment(run_id)}/clone", body, makes=True))

    def get_job(self, run_id: str) -> Job:
        return read(Job, self._http.json("GET", f"/jobs/{segment(run_id)}"))

    def list_jobs(
        self,
        *,
        state: str | None = None,
        queue: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[Job]:
        return self._page(Job, "/jobs", {"state": state, "queue": queue, "limit": limit, "cursor": cursor})

    def cancel(self, run_id: str) -> Job:
        """A queued job is cancelled at once; a running one saves its state first."""
        return read(Job, self._http.json("POST", f"/jobs/{segment(run_id)}/cancel"))

    def cancel_all(
        self,
        *,
        ids: Sequence[str] | None = None,
        queue: str | None = None,
        experiment: str | None = None,
        states: Sequence[str] = ("queued", "running"),
    ) -> Mapping[str, int]:
        """How many were `cancelled` at once, and how many are `stopping`."""
        asked = {"ids": None if ids is None else list(ids), "queue": queue, "experiment": experiment}
        body = {**present(asked), "states": list(states)}
        found: Mapping[str, int] = self._http.json("POST", "/jobs/cancel", body)
        return found

    def retry(self, run_id: str) -> Job:
        """A failed or cancelled job, from the start: its numbers are dropped."""
        return read(Job, self._http.json("POST", f"/jobs/{segment(run_id)}/retry", makes=True))

    def resume(self, run_id: str, changes: Sequence[str] = ()) -> Job:
        """A job that ended, on from its last checkpoint; `changes` as after `dreamgate train --resume`."""
        body = {"changes": list(changes)}
        return read(Job, self._http.json("POST", f"/jobs/{segment(run_id)}/resume", body, makes=True))

    def change_job(self, run_id: str, *, priority: int | None = None, queue: str | None = None) -> Job:
        """Only while it is queued."""
        body = present({"priority": priority, "queue": queue})
        return read(Job, self._http.json("PATCH", f"/jobs/{segment(run_id)}", body))

    def queues(self) -> tuple[Queue, ...]:
        return read_all(Queue, self._http.json("GET", "/queues"))

    def workers(self) -> tuple[Worker, ...]:
        return read_all(Worker, self._http.json("GET", "/workers"))
