"""The table of a comparison of updates."""

import statistics
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HEAD = (
    "work",
    "class",
    "what",
    "parameters",
    "GFLOP",
    "operators",
    "updates/s",
    "CPU s an update",
    "peak MiB",
    "Dreamgate is faster: CPU (spread)",
    "by the clock",
)


def table(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Markdown. FLOPs are those of matrix products and convolutions: rows that are picked and added count nothing."""
    lines = [_line(HEAD), _line("---" for _ in HEAD)]
    lines += [_line(row) for row in _rows(results)]
    return "".join(lines)


def _rows(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[tuple[str, ...]]:
    for work, classes in results.items():
        for kind, players in classes.items():
            for name, found in players.items():
                yield work, kind, name, *_numbers(found), *(_ratios(found) if name != "dreamgate" else ("", ""))


def _numbers(found: Mapping[str, Any]) -> tuple[str, ...]:
    gflop = "–" if found["gflop"] is None else f"{found['gflop']:,.1f}"
    operators = "–" if found["operators"] is None else f"{found['operators']:,}"
    return (
        f"{found['parameters']:,}",
        gflop,
        operators,
        f"{1 / found['seconds']:.3g}",
        f"{found['cpu_seconds']:.3g}",
        f"{found['peak_mib']:,.0f}",
    )


def _ratios(found: Mapping[str, Any]) -> tuple[str, str]:
    cpu, clock = found["ratio_cpu_seconds"], found["ratio_seconds"]
    return f"×{statistics.median(cpu):.2f} ({cpu[0]:.2f}–{cpu[-1]:.2f})", f"×{statistics.median(clock):.2f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
