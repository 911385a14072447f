"""What a person, or a program, sees while runs are waited for."""

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from dreamer_core.cli.amounts import count, duration
from dreamer_core.metrics.jsonsafe import dumps

if TYPE_CHECKING:
    from dreamer_core.remote.shapes import Run

_COLUMNS = ("[bold]{task.description}", "{task.fields[name]}", "{task.fields[state]}")


def reporter(*, as_json: bool) -> "Bars | Lines":
    return Bars() if sys.stderr.isatty() and not as_json else Lines(as_json=as_json)


class Bars:
    """On a terminal: a line for each run that stays where it is."""

    def __init__(self, console: Console | None = None) -> None:
        self.progress = Progress(
            *(TextColumn(text) for text in _COLUMNS),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[facts]}"),
            console=console or Console(stderr=True),
            refresh_per_second=4,
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def on_look(self, run: "Run") -> None:
        if run.id not in self.tasks:
            self.tasks[run.id] = self.progress.add_task(run.id, total=1.0, name="", state="", facts="")
        done = 1.0 if run.state == "succeeded" else run.progress or 0.0
        self.progress.update(
            self.tasks[run.id], completed=done, name=escape(run.name), state=run.state, facts=escape(facts(run))
        )


class Lines:
    """Elsewhere: a line for each change of state."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.seen: dict[str, str] = {}

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def on_look(self, run: "Run") -> None:
        if self.seen.get(run.id) == run.state:
            return
        self.seen[run.id] = run.state
        if self.as_json:
            found = {"type": "state", "run": run.id, "state": run.state, "env_steps": run.env_steps}
            print(dumps(found), flush=True)
        else:
            print(f"{run.id}: {run.state}", file=sys.stderr, flush=True)


def facts(run: "Run") -> str:
    """Where it is and how fast: 1,200/4,000  95/s  30 s to go."""
    if run.is_final or run.state == "queued":
        return run.error or run.reason or ""
    steps = f"{run.env_steps:,}" + (f"/{run.total_steps:,}" if run.total_steps else "")
    speed = f"{count(run.steps_per_s)}/s" if run.steps_per_s else ""
    return "  ".join(part for part in (steps, speed, f"{duration(run.eta_s)} to go" if run.eta_s else "") if part)
