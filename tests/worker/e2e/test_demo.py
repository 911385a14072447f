"""The demo to its end: trained, judged, blessed, and another seed gated, with real jobs (of a smaller net)."""

import pytest

from server.cli.demo import Demo
from tests.worker.e2e.processes import Stage, wait_for

pytestmark = pytest.mark.slow


def test_the_demo_trains_blesses_and_gates_another_seed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.cli.demo._LOOK_EVERY_S", 0.2)
    stage.serve()
    stage.work()
    said: list[str] = []

    def look() -> bool:
        # A demo of its own each time, as after every `up`: it goes on where it was.
        words = Demo(stage.url, stage.token, ["preset=cartpole+debug", "device=cpu"]).look()
        said.extend([words] if words else [])
        return "the demo is over" in words

    wait_for(look, 180, lambda: "\n".join(said))
    assert said[0].startswith("the demo is queued")
    assert said[1].startswith("the demo blessed a baseline")
    [baseline] = stage.client.baselines()
    assert (baseline.name, baseline.version, "single_seed" in baseline.flags) == ("demo", 1, True)
    runs = stage.client.list_suite_runs(suite="demo-gate").items
    assert [run.state for run in runs] == ["finished"]
    [result] = stage.client.get_suite_run(runs[0].id).scenarios[0].results
    assert result.baseline is not None
    assert (result.gate, result.baseline.name) == ("compare", "demo")
