"""What changed between two versions of a baseline: every metric, and everything that its numbers came from."""

from dataclasses import dataclass
from typing import Any, Literal

from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import SeedGroup

Change = Literal["same", "better", "worse", "changed", "added", "removed"]

_TOLD = ("input_kind", "env_steps_min", "env_steps_max", "count", "threshold_pct", "abs_tol", "source", "who", "why")
_FACTS = ("family", "fingerprint", "preset", "recipe", "env", "mode", "commit", "checkpoint_sha256")


@dataclass(frozen=True, kw_only=True)
class MetricChange:
    key: str
    before: float | None
    after: float | None
    change: Change

    @property
    def relative(self) -> float | None:
        """As a share of what it was; None where there is no such share."""
        if self.before is None or self.after is None or self.before == 0:
            return None
        return (self.after - self.before) / abs(self.before)


@dataclass(frozen=True, kw_only=True)
class FactChange:
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class BaselineDiff:
    before: str
    after: str
    metrics: tuple[MetricChange, ...]  # all of them, by name
    facts: tuple[FactChange, ...]  # only those that differ


def diff(before: Baseline, after: Baseline) -> BaselineDiff:
    keys = sorted({*before.metrics, *after.metrics})
    return BaselineDiff(
        before=before.title,
        after=after.title,
        metrics=tuple(_metric(before, after, key) for key in keys),
        facts=tuple(_facts(before, after)),
    )


def _metric(before: Baseline, after: Baseline, key: str) -> MetricChange:
    old = before.metrics[key].median if key in before.metrics else None
    new = after.metrics[key].median if key in after.metrics else None
    return MetricChange(key=key, before=old, after=new, change=_word(old, new, after, key))


def _word(old: float | None, new: float | None, after: Baseline, key: str) -> Change:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    if new == old:
        return "same"
    direction = Evidence(candidate=SeedGroup(runs=()), baseline=after).direction(key)
    if direction == "info":
        return "changed"
    return "better" if (new > old) == (direction == "higher") else "worse"


def _facts(before: Baseline, after: Baseline) -> list[FactChange]:
    pairs: dict[str, tuple[Any, Any]] = {name: (getattr(before, name), getattr(after, name)) for name in _TOLD}
    pairs["flags"] = (sorted(before.flags), sorted(after.flags))
    pairs["seeds"] = ([run.seed for run in before.runs], [run.seed for run in after.runs])
    for name in _FACTS:
        pairs[name] = (_known(before, name), _known(after, name))
    pairs |= _configs(before, after)
    return [FactChange(name=name, before=old, after=new) for name, (old, new) in pairs.items() if old != new]


def _known(baseline: Baseline, name: str) -> list[str]:
    return sorted({value for run in baseline.runs if (value := getattr(run.facts, name))})


def _configs(before: Baseline, after: Baseline) -> dict[str, tuple[Any, Any]]:
    """Of the first run on each side: within a seed group, only the seed differs."""
    sides = [baseline.runs[0].facts.config if baseline.runs else {} for baseline in (before, after)]
    keys = sorted({*sides[0], *sides[1]}) if all(sides) else []
    return {f"config.{key}": (sides[0].get(key), sides[1].get(key)) for key in keys}
