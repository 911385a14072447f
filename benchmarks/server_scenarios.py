"""Which measures are taken, and how much of each."""

import argparse
from collections.abc import Callable

import server_measures as measures
from server_measures import LOSS, Bench, Series

Measure = Callable[[Bench], dict[str, float] | None]


class Scenarios:
    def __init__(self, args: argparse.Namespace, ours: str) -> None:
        self._args, self._ours = args, ours
        self._series: dict[tuple[str, int, int], Series] = {}
        self._listed: set[str] = set()

    def all(self) -> dict[str, Measure]:
        """In the order in which they are taken."""
        return {
            "take_in_1": lambda bench: measures.take_in(bench, 1, self._batches(bench)),
            "take_in_4": lambda bench: measures.take_in(bench, 4, self._batches(bench)),
            "one_point": lambda bench: measures.one_point(bench, int(400 * bench.tool.share)),
            "curve_100k": lambda bench: self._drawn(bench, 1, 100_000),
            "curves_20": lambda bench: self._drawn(bench, 20, 10_000),
            "curve_10m": lambda bench: self._drawn(bench, 1, self._args.points) if self._is_ours(bench) else None,
            "first_page": lambda bench: measures.ask(self._with_runs(bench), bench.tool.first_page(), 20),
            "sorted_page": lambda bench: measures.ask(self._with_runs(bench), bench.tool.sorted_page(LOSS), 20),
        }

    def _is_ours(self, bench: Bench) -> bool:
        return bench.tool.name == self._ours

    def _batches(self, bench: Bench) -> int:
        return max(2, int(self._args.batches * bench.tool.share))

    def _drawn(self, bench: Bench, runs: int, points: int) -> dict[str, float]:
        place = (bench.tool.name, runs, points)
        if place not in self._series:
            self._series[place] = measures.fill(bench, runs, points)
        return measures.draw(bench, self._series[place], max(5, int(30 * bench.tool.share)))

    def _with_runs(self, bench: Bench) -> Bench:
        if bench.tool.name not in self._listed:
            measures.many_runs(bench, self._args.runs if self._is_ours(bench) else self._args.peer_runs)
            self._listed.add(bench.tool.name)
        return bench
