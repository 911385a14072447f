"""What people see while they wait."""

from io import StringIO

from rich.console import Console

from dreamer_core.cli.wait_report import Bars, facts
from dreamer_core.remote.reading import read
from dreamer_core.remote.shapes import Run
from tests.remote.fakes import a_run


def run(**changes: object) -> Run:
    return read(Run, a_run(**changes))


def test_a_run_under_way_says_where_it_is_how_fast_and_how_long_to_go() -> None:
    assert facts(run(env_steps=1200, total_steps=4000, steps_per_s=95.5, eta_s=30)) == "1,200/4,000  95.5/s  30 s to go"
    assert facts(run(env_steps=1200, total_steps=None, steps_per_s=None, eta_s=None)) == "1,200"


def test_a_run_that_waits_or_has_ended_says_why() -> None:
    assert facts(run(state="queued", reason="no live worker serves queue gpu")) == "no live worker serves queue gpu"
    assert (
        facts(run(state="failed", reason="exit code 4", error="Loss/total is not finite")) == "Loss/total is not finite"
    )
    assert facts(run(state="succeeded")) == ""


def test_each_run_has_one_line_that_moves() -> None:
    shown = StringIO()
    bars = Bars(Console(file=shown, force_terminal=True, width=120))
    with bars as report:
        report.on_look(run(id="one", name="[red]first", state="running", progress=0.25))
        report.on_look(run(id="two", state="queued"))
        report.on_look(run(id="one", name="[red]first", state="succeeded", progress=0.99))
    assert [(task.description, task.completed) for task in bars.progress.tasks] == [("one", 1.0), ("two", 0.4)]
    assert "[red]first" in shown.getvalue()
