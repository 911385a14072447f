"""What a gate looks at: the numbers of one run, and of several runs that are equal in everything but the seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np

from dreamer_core.errors import UsageError
from dreamer_core.gates.series import EMPTY, Floats, Series, Window
from dreamer_core.gates.words import count
from dreamer_core.metrics.names import Direction

InputKind = Literal["jsonl", "json"]  # many records over time, or one summary
TESTBED = ("cpu", "threads", "device", "torch", "driver")  # of a manifest's `runtime`: what speed depends on


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Where numbers come from. What is empty or None is not known."""

    family: str = ""
    fingerprint: str = ""
    preset: str = ""
    recipe: str = ""
    env: str = ""
    mode: str = ""
    commit: str = ""
    dirty: bool | None = None
    status: str = ""  # as in the manifest: succeeded, running, failed ...
    error: str = ""
    checkpoint_sha256: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)  # dotted keys
    testbed: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def has_failed(self) -> bool:
        return self.status == "failed"

    @property
    def is_unfinished(self) -> bool:
        """Still running, or interrupted. A run that does not say is taken for one that ended well."""
        return self.status not in ("", "succeeded", "failed")


@dataclass(frozen=True, kw_only=True, eq=False)
class RunNumbers:
    """Everything that one run recorded, in the order of its steps."""

    name: str  # what people call it: a run id or a file
    series: Mapping[str, Series]
    record_steps: Floats  # one per record; NaN where it does not say
    seed: int | None = None
    task: str = ""  # runs of several tasks are resampled task by task
    facts: Facts = field(default_factory=Facts)

    def of(self, key: str) -> Series:
        return self.series.get(key, EMPTY)

    def within(self, window: Window, keys: Iterable[str]) -> "RunNumbers":
        """Only those keys, only inside the window."""
        kept = window.keep(self.record_steps)
        found = {key: self.series[key] for key in keys if key in self.series}
        if not kept.all():
            found = {key: series.within(kept) for key, series in found.items()}
        return RunNumbers(
            name=self.name,
            series=found,
            record_steps=self.record_steps[kept],
            seed=self.seed,
            task=self.task,
            facts=self.facts,
        )

    @property
    def extent(self) -> str:
        """How many records there are, and which steps they cover."""
        if not len(self.record_steps):
            return "no records"
        known = self.record_steps[np.isfinite(self.record_steps)]
        size = count(len(self.record_steps), "record")
        return f"{size}, env steps {known.min():g}..{known.max():g}" if len(known) else f"{size} without env_steps"

    def __str__(self) -> str:
        return self.name if self.seed is None else f"seed {self.seed} ({self.name})"


@dataclass(frozen=True, kw_only=True, eq=False)
class SeedGroup:
    runs: tuple[RunNumbers, ...]
    input_kind: InputKind = "jsonl"
    directions: Mapping[str, Direction] = field(default_factory=dict)  # of metrics that only this input knows
    speed_keys: frozenset[str] = frozenset()  # metrics of this input that depend on the machine

    def __post_init__(self) -> None:
        """Runs are put in order, so that nothing can depend on the order they came in, and none counts twice."""
        ordered = sorted(self.runs, key=lambda run: (run.task, run.seed is None, run.seed or 0, run.name))
        names = [run.name for run in ordered]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"the run {name} is given {names.count(name)} times; give each run once")
        object.__setattr__(self, "runs", tuple(ordered))

    @property
    def keys(self) -> list[str]:
        """Every metric that any run has, in order of first sight."""
        return list(dict.fromkeys(key for run in self.runs for key in run.series))

    def within(self, window: Window, keys: Iterable[str]) -> "SeedGroup":
        wanted = tuple(keys)
        return SeedGroup(
            runs=tuple(run.within(window, wanted) for run in self.runs),
            input_kind=self.input_kind,
            directions=self.directions,
            speed_keys=self.speed_keys,
        )

    def facts(self, name: str) -> set[str]:
        """The different known values of one fact over all runs."""
        return {value for run in self.runs if (value := str(getattr(run.facts, name)))}


def matching(keys: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """The keys that fit any of the patterns, and the patterns that are plain names: those are missed if absent."""
    found = [key for key in keys if any(fnmatchcase(key, pattern) for pattern in patterns)]
    return found + [pattern for pattern in patterns if "*" not in pattern and pattern not in found]
