"""Baselines: bless runs, bring a file in, look, compare two versions, retire."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dreamer_core.remote.calls import Calls, present
from dreamer_core.remote.gate_shapes import Baseline, BaselineDetail
from dreamer_core.remote.reading import read, read_all
from dreamer_core.remote.transport import segment

LATEST = "latest"


class BaselineCalls(Calls):
    def bless(
        self,
        name: str,
        *,
        runs: Sequence[str] = (),
        seed_group: str | None = None,
        keys: Sequence[str] = (),
        window: Mapping[str, float] | None = None,
        threshold_pct: float | None = None,
        abs_tol: float | None = None,
        who: str = "",
        why: str = "",
        allow: Sequence[str] = (),
    ) -> Baseline:
        """The first version of a name, or the next one. `window`: env_steps_min, env_steps_max, last."""
        body = {
            "name": name,
            "runs": list(runs),
            "seed_group": seed_group,
            "keys": list(keys),
            "window": dict(window or {}),
            "threshold_pct": threshold_pct,
            "abs_tol": abs_tol,
            "who": who,
            "why": why,
            "allow": list(allow),
        }
        return read(Baseline, self._http.json("POST", "/baselines", present(body), makes=True))

    def import_baseline(self, name: str, content: str, *, who: str = "", why: str = "") -> Baseline:
        """The text of a file that `dreamgate baseline capture` or the older tool wrote."""
        body = {"name": name, "content": content, "who": who, "why": why}
        return read(Baseline, self._http.json("POST", "/baselines/import", body, makes=True))

    def baselines(self, q: str | None = None, *, retired: bool = False) -> tuple[Baseline, ...]:
        """The newest version of every name. `retired`: of the names that are wholly retired, in place of the others."""
        return tuple(self._every(Baseline, "/baselines", {"q": q, "retired": retired}))

    def baseline_versions(self, name: str) -> tuple[Baseline, ...]:
        """The newest first."""
        return read_all(Baseline, {"items": self._http.json("GET", f"/baselines/{segment(name)}")})

    def get_baseline(self, name: str, version: int | str = LATEST) -> BaselineDetail:
        """`latest` is the newest that is not retired."""
        return read(BaselineDetail, self._http.json("GET", _path(name, version)))

    def export_baseline(
        self, name: str, version: int | str = LATEST, kind: Literal["dreamgate", "seed"] = "dreamgate"
    ) -> str:
        """The text of its file: ours with curves, or the older tool's."""
        return self._http.call("GET", f"{_path(name, version)}/export", params={"format": kind}).text

    def diff_baselines(self, name: str, before: int | str, after: int | str = LATEST) -> dict[str, Any]:
        """What changed between two versions."""
        params = {"before": before, "after": after}
        found: dict[str, Any] = self._http.json("GET", f"/baselines/{segment(name)}/diff", params=params)
        return found

    def retire_baseline(self, name: str, version: int | str, why: str) -> Baseline:
        """No verdict asks it any more, unless it is named with its version."""
        return read(Baseline, self._http.json("POST", f"{_path(name, version)}/retire", {"why": why}))

    def restore_baseline(self, name: str, version: int | str) -> Baseline:
        return read(Baseline, self._http.json("POST", f"{_path(name, version)}/restore"))


def _path(name: str, version: int | str) -> str:
    return f"/baselines/{segment(name)}/{segment(str(version))}"
