"""What a person, or a program, sees of a run while it goes."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dreamer_core.metrics.jsonsafe import dumps
from dreamer_core.training.trainer import Progress as TrainingProgress
from dreamer_core.training.watch import Event


class BarReporter:
    """A progress bar on stderr, with one line above it for each evaluation and event."""

    def __init__(self, total: int, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=self.console,
            refresh_per_second=4,
        )
        self.task = self.bar.add_task("training", total=total, facts="")
        self.facts: dict[str, float] = {}

    def __enter__(self) -> "BarReporter":
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar.live.is_started:
            self.bar.stop()

    def on_start(self, run: Path, records: int, events: int) -> None:
        self.console.print(f"Run: {run}", soft_wrap=True, highlight=False)

    def on_progress(self, progress: TrainingProgress, updates: int) -> None:
        self.bar.start()  # only now: what fails before the first step is a plain line
        speed = f"{updates / progress.seconds:.1f}/s" if progress.seconds else ""
        reward = f"return {self.facts['reward']:.1f}" if "reward" in self.facts else ""
        self.bar.update(self.task, completed=progress.env_steps, facts=f"{updates} updates {speed} {reward}")

    def on_record(self, record: dict[str, Any]) -> None:
        if "Rewards/rew_avg" in record:
            self.facts["reward"] = record["Rewards/rew_avg"]

    def on_eval(self, summary: dict[str, Any]) -> None:
        self.bar.console.print(
            f"  eval  step {summary['env_steps']:,}: mean return {summary['mean_return']:.1f} "
            f"over {summary['episodes']} episodes",
            highlight=False,
        )

    def on_event(self, event: Event) -> None:
        self.bar.console.print(f"  [yellow]{event.kind}[/]  step {event.env_steps:,}: {event.message}", highlight=False)


class JsonReporter:
    """One JSON object per line on stdout."""

    def __enter__(self) -> "JsonReporter":
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def on_start(self, run: Path, records: int, events: int) -> None:
        self._write("start", {"run": str(run), "records": records, "events": events})

    def on_progress(self, progress: TrainingProgress, updates: int) -> None:
        """Records say it often enough."""

    def on_record(self, record: dict[str, Any]) -> None:
        self._write("record", record)

    def on_eval(self, summary: dict[str, Any]) -> None:
        self._write("eval", summary)

    def on_event(self, event: Event) -> None:
        self._write("event", {"kind": event.kind, "env_steps": event.env_steps, "message": event.message})

    def _write(self, kind: str, value: dict[str, Any]) -> None:
        print(dumps({"type": kind, "at": time.time(), **value}), flush=True)


def eval_table(summary: Mapping[str, Any]) -> Table:
    table = Table()
    for column in ("episodes", "mean return", "95 % interval", "min", "max", "length", "success"):
        table.add_column(column, justify="right")
    low, high = summary["return_ci95"] or (None, None)
    success = summary["success_rate"]
    table.add_row(
        str(summary["episodes"]),
        f"{summary['mean_return']:.1f}",
        "–" if low is None else f"{low:.1f} … {high:.1f}",
        f"{summary['return_min']:.1f}",
        f"{summary['return_max']:.1f}",
        f"{summary['Game/ep_len_avg']:.1f}",
        "–" if success is None else f"{success:.0%}",
    )
    return table
