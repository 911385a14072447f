"""Experiments and runs: make, find, change, end."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dreamer_core.remote.calls import Calls, present
from dreamer_core.remote.questions import RunFilter
from dreamer_core.remote.reading import read
from dreamer_core.remote.shapes import Event, Experiment, Page, Run
from dreamer_core.remote.transport import segment


class RunCalls(Calls):
    def experiments(self, q: str | None = None) -> tuple[Experiment, ...]:
        return tuple(self._every(Experiment, "/experiments", {"q": q}))

    def create_run(
        self,
        experiment: str,
        *,
        name: str | None = None,
        kind: str = "import",
        config: Mapping[str, Any] | None = None,
        seed: int | None = None,
        preset: str | None = None,
        env: str | None = None,
        family: str | None = None,
        total_steps: int | None = None,
        tags: Sequence[str] = (),
        hypothesis: str = "",
        primary_metric: str | None = None,
        stop_rule: str = "",
        notes: str = "",
    ) -> Run:
        """A run of somebody else's trainer, which is running from now on. The experiment is made if there is none."""
        body = {
            "experiment": experiment,
            "name": name,
            "kind": kind,
            "config": dict(config or {}),
            "seed": seed,
            "preset": preset,
            "env": env,
            "family": family,
            "total_steps": total_steps,
            "tags": list(tags),
            "hypothesis": hypothesis,
            "primary_metric": primary_metric,
            "stop_rule": stop_rule,
            "notes": notes,
        }
        return read(Run, self._http.json("POST", "/runs", present(body), makes=True))

    def finish_run(
        self, run_id: str, state: Literal["succeeded", "failed"] = "succeeded", *, error: str | None = None
    ) -> Run:
        """Only for runs that are not jobs."""
        body = present({"state": state, "error": error})
        return read(Run, self._http.json("POST", f"/runs/{segment(run_id)}/finish", body, makes=True))

    def report_progress(
        self, run_id: str, env_steps: int, *, train_steps: int | None = None, steps_per_s: float | None = None
    ) -> None:
        """Only for runs that are not jobs: how far it is, for the page."""
        body = present({"env_steps": env_steps, "train_steps": train_steps, "steps_per_s": steps_per_s})
        self._http.json("POST", f"/runs/{segment(run_id)}/progress", body)

    def get_run(self, run_id: str) -> Run:
        return read(Run, self._http.json("GET", f"/runs/{segment(run_id)}"))

    def list_runs(
        self, wanted: RunFilter | None = None, *, limit: int | None = None, cursor: str | None = None
    ) -> Page[Run]:
        params = {**(wanted or RunFilter()).params(), "limit": limit, "cursor": cursor}
        return self._page(Run, "/runs", params)

    def change_run(self, run_id: str, **changes: Any) -> Run:
        """name, notes, tags or conclusion; hypothesis, primary_metric and stop_rule only before it begins.

        group=True: the same for all runs of its seed group that are in its experiment.
        """
        return read(Run, self._http.json("PATCH", f"/runs/{segment(run_id)}", changes))

    def annotate(self, run_id: str, text: str) -> Event:
        """A remark with its time, which is never changed."""
        found = self._http.json("POST", f"/runs/{segment(run_id)}/annotations", {"text": text}, makes=True)
        return read(Event, found)

    def delete_run(self, run_id: str) -> None:
        """It can be restored."""
        self._http.json("DELETE", f"/runs/{segment(run_id)}")

    def restore_run(self, run_id: str) -> None:
        self._http.json("POST", f"/runs/{segment(run_id)}/restore", makes=True)

    def get_manifest(self, run_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._http.json("GET", f"/runs/{segment(run_id)}/manifest")
        return found

    def put_manifest(self, run_id: str, manifest: Mapping[str, Any], lease: str | None = None) -> None:
        self._http.json("PUT", f"/runs/{segment(run_id)}/manifest", manifest, lease=lease)

    def rewind(self, run_id: str, records: int, events: int, lease: str) -> None:
        """Cut the numbers and the core's events back to these counts: what follows is written again."""
        body = {"records": records, "events": events}
        self._http.json("POST", f"/runs/{segment(run_id)}/rewind", body, lease=lease)
