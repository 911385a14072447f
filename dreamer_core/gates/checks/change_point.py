"""Over the history of a metric: did its level change, when, and for the worse? It warns, unless told to count."""

import math
from dataclasses import dataclass

import numpy as np

from dreamer_core.config.checks import above, at_least
from dreamer_core.errors import ConfigError
from dreamer_core.gates.changes import SHORTEST, Change, find_changes
from dreamer_core.gates.check import Check, Results
from dreamer_core.gates.evidence import Evidence, Past
from dreamer_core.gates.result import Result
from dreamer_core.gates.verdict import Verdict
from dreamer_core.gates.words import count, kind_of, number, share
from dreamer_core.metrics.names import Direction


@dataclass(frozen=True, kw_only=True)
class ChangePoint(Check):
    """The newest change counts, until it is old. Values of other testbeds than the newest value's are left out."""

    keys: tuple[str, ...] = ()
    p: float = 0.05  # of the most striking place, by permutation: so often a history without change warns
    min_effect: float = 0.05  # a share of the level before; smaller changes are not worth a word
    n_min: int = 8
    recent: int = 12  # a change further back than so many values is history, and no longer news
    required: bool = False

    kind = "change_point"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigError("keys", "must name at least one metric")
        above(0, p=self.p)
        at_least(0, min_effect=self.min_effect)
        at_least(2 * SHORTEST, n_min=self.n_min)
        at_least(1, recent=self.recent)

    def judge(self, evidence: Evidence) -> Results:
        return tuple(self._judge_key(key, evidence.history.get(key, ()), evidence.direction(key)) for key in self.keys)

    def _judge_key(self, key: str, history: tuple[Past, ...], direction: Direction) -> Result:
        same = [past for past in history if past.testbed == history[-1].testbed]
        finite = [past for past in same if np.isfinite(past.value)]
        left_out = f"; left out: {len(history) - len(same)} of other testbeds, {len(same) - len(finite)} not finite"
        if same and not np.isfinite(same[-1].value):
            return self.result(Verdict.FAIL, f"the newest value is {kind_of(same[-1].value)}{left_out}", key=key)
        fewest = max(self.n_min, _fewest(self.p))
        if len(finite) < fewest:
            return self.no_data(f"{count(len(finite), 'value')} of history, needs {fewest}{left_out}", key=key)
        values = np.array([past.value for past in finite])
        found = [change for change in find_changes(values, alpha=self.p) if self._matters(change)]
        numbers = {
            "values": values.tolist(),
            "labels": [past.label for past in finite],
            "changes": [{"at": one.at, "before": one.before, "after": one.after, "p": one.p} for one in found],
        }
        verdict, reason = self._say(found, finite, direction)
        return self.result(verdict, f"{reason}{left_out}", key=key, numbers=numbers)

    def _say(self, found: list[Change], history: list[Past], direction: Direction) -> tuple[Verdict, str]:
        seen, changes = count(len(history), "value"), count(len(found), "change")
        if not found or found[-1].at < len(history) - self.recent:
            last = f"the last of {changes} {len(history) - found[-1].at} values ago" if found else "none"
            return Verdict.PASS, f"no new change of level, {last}, in {seen} (p {number(self.p)})"
        newest = found[-1]
        rise = newest.after - newest.before
        relative = f" ({share(rise / abs(newest.before))})" if newest.before else ""
        where = history[newest.at].label or f"value {newest.at}"
        is_better = rise < 0 if direction == "lower" else rise > 0
        return (
            Verdict.IMPROVED if is_better and direction != "info" else Verdict.FAIL,
            f"the level changed {number(newest.before)} -> {number(newest.after)}{relative} at {where}, "
            f"p {number(newest.p)}; {changes} in {seen}",
        )

    def _matters(self, change: Change) -> bool:
        return abs(change.after - change.before) > self.min_effect * abs(change.before)


def _fewest(p: float) -> int:
    """With fewer values even the clearest step, half of them low and half high, is not rarer than p."""
    values = 2 * SHORTEST
    while 2 / math.comb(values, values // 2) > p:
        values += 1
    return values
