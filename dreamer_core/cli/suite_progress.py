"""What is seen while a suite run is waited for: a line for each change of a scenario."""

import sys
from typing import TYPE_CHECKING

from dreamer_core.metrics.jsonsafe import dumps

if TYPE_CHECKING:
    from dreamer_core.remote.suite_shapes import ScenarioRun, SuiteRunDetail


class Lines:
    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.seen: dict[str, tuple[str | None, str | None, int]] = {}

    def on_look(self, run: "SuiteRunDetail") -> None:
        for scenario in run.scenarios:
            now = (scenario.verdict, scenario.waiting, scenario.attempt)
            if self.seen.get(scenario.name) != now:
                self.seen[scenario.name] = now
                self._tell(run, scenario)

    def _tell(self, run: "SuiteRunDetail", scenario: "ScenarioRun") -> None:
        if self.as_json:
            said = {name: getattr(scenario, name) for name in ("verdict", "waits_for", "stuck", "attempt")}
            print(dumps({"type": "state", "suite_run": run.id, "scenario": scenario.name, **said}), flush=True)
            return
        again = f" (try {scenario.attempt})" if scenario.attempt > 1 else ""
        waits = f"waits for {scenario.waiting}" if scenario.waiting else "is being judged"
        print(f"{scenario.name}{again}: {scenario.verdict or waits}", file=sys.stderr, flush=True)
