"""The table that people read, and the facts about the machine without which its numbers mean nothing."""

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

Results = Mapping[str, Mapping[str, Mapping[str, float] | None]]  # by tool, then by measure

# measure, number, what it says, whether more is better, the target
_ROWS = (
    ("take_in_1", "points_per_s", "batches of 1,000 points, 1 writer, points/s", True, 200_000),
    ("take_in_4", "points_per_s", "batches of 1,000 points, 4 writers, points/s", True, 200_000),
    ("take_in_1", "cpu_ms_per_1000", "server CPU per 1,000 points, 1 writer, ms", False, 3),
    ("take_in_4", "cpu_ms_per_1000", "server CPU per 1,000 points, 4 writers, ms", False, 3),
    ("one_point", "p50_ms", "one stored point, p50 ms", False, 4),
    ("one_point", "p99_ms", "one stored point, p99 ms", False, None),
    ("curve_100k", "p50_ms", "drawn curve of 100k points, p50 ms", False, 10),
    ("curve_100k", "kB", "drawn curve of 100k points, kB", False, 40),
    ("curve_10m", "p50_ms", "drawn curve of 10M points, p50 ms", False, None),
    ("curves_20", "p50_ms", "20 series of 10k points drawn, p50 ms", False, 40),
    ("curves_20", "kB", "20 series of 10k points drawn, kB", False, None),
    ("first_page", "p50_ms", "first page of many runs, p50 ms", False, 30),
    ("sorted_page", "p50_ms", "the same, sorted by a metric, p50 ms", False, 50),
    ("start", "seconds", "cold start to the first 200, s", False, 1.2),
    ("idle", "rss_mib", "memory at rest, RSS of all processes, MiB", False, 110),
    ("idle", "pss_mib", "the same without what processes share, PSS, MiB", False, None),
    ("after", "rss_mib", "memory after it all, RSS, MiB", False, None),
)


def machine(root: Path) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git(root, "rev-parse", "--short", "HEAD") + ("+changes" if _git(root, "status", "-s") else ""),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def table(results: Results, first: str) -> str:
    """Markdown: one column a tool, and how the first compares with each other one."""
    others = [name for name in results if name != first]
    head = ["measured", first, *(f"{name} (×)" for name in others), "target"]
    lines = [head, ["---"] * len(head)]
    for measure, number, words, more, target in _ROWS:
        ours = _value(results[first], measure, number)
        if ours is not None:
            peers = [_compared(_value(results[name], measure, number), ours, more=more) for name in others]
            lines.append([words, _short(ours), *peers, "" if target is None else f"{'≥' if more else '≤'} {target:,}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _value(measures: Mapping[str, Mapping[str, float] | None], measure: str, number: str) -> float | None:
    found = measures.get(measure)
    return None if found is None else found[number]


def _compared(theirs: float | None, ours: float, *, more: bool) -> str:
    if theirs is None:
        return "–"
    return f"{_short(theirs)} (×{_short(ours / theirs if more else theirs / ours)})"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _processor() -> str:
    lines: Sequence[str] = []
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", *arguments],  # noqa: S607
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()
