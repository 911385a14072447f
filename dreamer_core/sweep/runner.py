"""Run the points of a grid, each in a process of its own, and tell what each came to."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from dreamer_core.errors import STOPPED
from dreamer_core.sweep.grid import Point


class Outcome(NamedTuple):
    point: Point
    exit_code: int
    run: str | None
    mean_return: float | None
    error: str | None


def run_points(
    points: Sequence[Point], common: Sequence[str], runs: Path, *, jobs: int, on_done: Callable[[Outcome], None]
) -> list[Outcome]:
    """At most `jobs` at a time. One that fails does not stop the others."""

    def one(point: Point) -> Outcome:
        outcome = _run(point, common, runs)
        on_done(outcome)
        return outcome

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(one, points))


def group_by_variant(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """One row per variant: its seeds are one group, and how many there are is part of the result."""
    rows: dict[tuple[tuple[str, str], ...], list[Outcome]] = {}
    for outcome in outcomes:
        rows.setdefault(outcome.point.varied, []).append(outcome)
    return [_row(varied, group) for varied, group in rows.items()]


def _run(point: Point, common: Sequence[str], runs: Path) -> Outcome:
    command = [sys.executable, "-m", "dreamer_core.cli.main", "train", *point.words, *common]
    done = subprocess.run([*command, "--runs", str(runs), "--json"], capture_output=True, text=True, check=False)  # noqa: S603  # our own command
    result = _last_result(done.stdout)
    score = (result.get("eval") or {}).get("mean_return")
    error = None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no message"])[-1]
    return Outcome(point, done.returncode, result.get("run"), score, error)


def _last_result(output: str) -> dict[str, Any]:
    lines = [line for line in output.splitlines() if line.startswith('{"type": "result"') and line.endswith("}")]
    return dict(json.loads(lines[-1])) if lines else {}


def _row(varied: tuple[tuple[str, str], ...], group: Sequence[Outcome]) -> dict[str, Any]:
    scores = [outcome.mean_return for outcome in group if outcome.mean_return is not None]
    return {
        "variant": dict(varied),
        "n": len(scores),
        "failed": sum(outcome.exit_code not in (0, STOPPED) for outcome in group),
        "mean_return": sum(scores) / len(scores) if scores else None,
        "min": min(scores, default=None),
        "max": max(scores, default=None),
        "runs": [outcome.run for outcome in group],
        "errors": [outcome.error for outcome in group if outcome.error is not None],
    }
