"""Gates: keep them on the server, judge runs by them, look at what they came to; and runs side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from dreamer_core.remote.calls import Calls, present
from dreamer_core.remote.compare_shapes import Comparison
from dreamer_core.remote.gate_shapes import Gate, GateResult, GateResultDetail
from dreamer_core.remote.reading import read
from dreamer_core.remote.shapes import Page
from dreamer_core.remote.transport import segment


class GateCalls(Calls):
    def apply_gate(self, gate: Mapping[str, Any], source: str = "") -> Gate:
        """As in its file: name, version, checks, directions. Other checks need another version."""
        body = {**{key: value for key, value in gate.items() if key != "name"}, "source": source}
        return read(Gate, self._http.json("PUT", f"/gates/{segment(str(gate['name']))}", body))

    def gates(self) -> tuple[Gate, ...]:
        """The newest version of every gate, without `compare`, which is built in."""
        return tuple(self._every(Gate, "/gates", {}))

    def get_gate(self, name: str, version: int | None = None) -> Gate:
        return read(Gate, self._http.json("GET", f"/gates/{segment(name)}", params={"version": version}))

    def evaluate_gate(
        self,
        name: str,
        *,
        runs: Sequence[str] = (),
        seed_group: str | None = None,
        numbers: Sequence[Mapping[str, Any]] = (),
        baseline: str | None = None,
        version: int | None = None,
        history: Mapping[str, Any] | None = None,
        commit: str | None = None,
    ) -> GateResultDetail:
        """Of runs or a seed group that the server has, or of `numbers`: [{name, seed, records}]. It is kept."""
        body = {
            "runs": list(runs) or None,
            "seed_group": seed_group,
            "numbers": list(numbers) or None,
            "baseline": baseline,
            "version": version,
            "history": dict(history) if history else None,
            "commit": commit,
        }
        path = f"/gates/{segment(name)}/evaluate"
        return read(GateResultDetail, self._http.json("POST", path, present(body), makes=True))

    def gate_results(
        self,
        *,
        gate: str | None = None,
        verdict: str | None = None,
        run: str | None = None,
        suite_run: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page[GateResult]:
        """The newest first."""
        params = {"gate": gate, "verdict": verdict, "run": run, "suite_run": suite_run}
        return self._page(GateResult, "/gate-results", {**params, "limit": limit, "cursor": cursor})

    def get_gate_result(self, result_id: str) -> GateResultDetail:
        """With every number that led to it."""
        return read(GateResultDetail, self._http.json("GET", f"/gate-results/{segment(result_id)}"))

    def compare(
        self,
        runs: Sequence[str] = (),
        *,
        groups: Sequence[str] = (),
        baseline: str | None = None,
        metrics: Sequence[str] = (),
        points: int = 0,
    ) -> Comparison:
        """Beside `baseline`: name or name@version; None takes that of the family with the most seeds, "" none.

        `points`: how many steps of each band; 0 leaves the bands out.
        """
        said = {"runs": ",".join(runs), "groups": ",".join(groups), "metrics": ",".join(metrics)}
        return read(
            Comparison, self._http.json("GET", "/compare", params={**said, "baseline": baseline, "points": points})
        )
