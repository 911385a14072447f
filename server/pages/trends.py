"""How a suite went over its last runs: its verdicts, and each number that its gates looked at, as a small line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from dreamer_core.metrics.names import METRICS
from server.pages.formats import number
from server.pages.gauges import SHARES, gauge_of
from server.tables import GateResult, SuiteRun

WIDTH, HEIGHT = 160, 24
_MOST_TRENDS = 40


@dataclass(frozen=True, kw_only=True)
class Trend:
    """One number of one scenario, from the oldest run on."""

    scenario: str
    key: str
    values: Sequence[float]
    is_share: bool = False  # of which more is better

    @property
    def direction(self) -> str:
        if self.is_share:
            return "higher"
        return METRICS[self.key].direction if self.key in METRICS else "info"

    @property
    def unit(self) -> str:
        if self.is_share:
            return "share"
        return METRICS[self.key].unit if self.key in METRICS else ""

    @property
    def words(self) -> str:
        low, high = number(min(self.values)), number(max(self.values))
        return f"{len(self.values)} runs, from {number(self.values[0])} to {number(self.values[-1])}, {low} … {high}"

    @property
    def points(self) -> str:
        """For an SVG polyline."""
        low, high = min(self.values), max(self.values)
        span, last = high - low or 1.0, max(1, len(self.values) - 1)
        places = (
            (3 + i / last * (WIDTH - 6), HEIGHT - 4 - (value - low) / span * (HEIGHT - 8))
            for i, value in enumerate(self.values)
        )
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)

    @property
    def end(self) -> tuple[str, str]:
        x, _, y = self.points.split(" ")[-1].partition(",")
        return x, y


def trends(session: Session, runs: Sequence[SuiteRun]) -> list[Trend]:
    """Of numbers that at least two of the runs have. A rerun's numbers count, not those that it took the place of."""
    order = {run.id: place for place, run in enumerate(sorted(runs, key=lambda run: (run.created_at, run.id)))}
    query = select(GateResult.suite_run_id, GateResult.scenario, GateResult.body)
    query = query.where(col(GateResult.suite_run_id).in_(list(order)), col(GateResult.is_final))
    found: dict[tuple[str, str, bool], dict[int, float]] = {}
    for suite_run_id, scenario, body in session.exec(query):
        for (key, is_share), value in _found(body).items():
            found.setdefault((scenario or "", key, is_share), {}).setdefault(order[suite_run_id or ""], value)
    told = [(place, [values[at] for at in sorted(values)]) for place, values in sorted(found.items())]
    several = [(place, values) for place, values in told if len(values) > 1][:_MOST_TRENDS]
    return [Trend(scenario=name, key=key, values=values, is_share=share) for (name, key, share), values in several]


def _found(body: Mapping[str, Any]) -> dict[tuple[str, bool], float]:
    """What each check found, by its metric and whether it is a share; of seeds against seeds the candidate's side."""
    found: dict[tuple[str, bool], float] = {}
    for result in body["results"]:
        gauge, comparison = gauge_of(result), result["comparison"] or result["numbers"].get("undecided") or {}
        value = comparison.get("candidate", None if gauge is None else gauge.value)
        if isinstance(value, int | float):
            share = SHARES.get(result["kind"])
            key = share.format(result["key"]) if share else result["key"] or result["check"]
            found.setdefault((key, share is not None), float(value))
    return found
