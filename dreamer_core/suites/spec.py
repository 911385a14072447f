"""A suite: scenarios × seeds, the jobs that each takes, and the gates that its numbers must pass."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from dreamer_core.config.checks import MAX_SEED, at_least, at_most
from dreamer_core.errors import ConfigError
from dreamer_core.gates import Gate
from dreamer_core.suites.cron import Schedule

Source = Literal["train", "eval", "bench", "posted"]  # whose numbers a gate looks at
StopEarly = Literal["never", "harm", "futility", "both"]

COMPARE = "compare"  # the gate that is known without being written down
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(@[0-9]{1,8})?")
_MOST_JOBS = 1000


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """After the training of each seed: greedy or sampled episodes of its checkpoint."""

    episodes: int = 20
    greedy: bool = True
    which: str = "best"

    def __post_init__(self) -> None:
        at_least(1, episodes=self.episodes)
        at_most(100_000, episodes=self.episodes)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Once for a scenario: how fast an update is."""

    updates: int = 20
    warmup: int = 5

    def __post_init__(self) -> None:
        at_least(1, updates=self.updates)
        at_least(0, warmup=self.warmup)


@dataclass(frozen=True, kw_only=True)
class GateUse:
    """One gate over the numbers of one kind of run, perhaps against a baseline."""

    gate: str
    of: Source = "train"
    baseline: str | None = None  # name, or name@version

    def __post_init__(self) -> None:
        if self.baseline is not None and not _REFERENCE.fullmatch(self.baseline):
            raise ConfigError("baseline", f"must be a name or name@version, got {self.baseline!r}")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    words: tuple[str, ...] = ()  # as after `dreamgate train`; none where numbers are only posted
    seeds: tuple[int, ...] = (0,)
    queue: str = "auto"
    gpus: int | None = None
    priority: int = 0
    seconds: int | None = None  # limit of each training
    train: bool = True
    eval: Evaluation | None = None
    bench: Bench | None = None
    posted: bool = False  # somebody sends numbers: of tests, of another tool's benchmark
    gates: tuple[GateUse, ...] = ()

    def __post_init__(self) -> None:
        _slug(name=self.name)
        if not self.gates:
            raise ConfigError("gates", "must name at least one gate; a scenario without gates could never be passed")
        if not self.seeds:
            raise ConfigError("seeds", "must list at least one seed")
        for seed in self.seeds:
            at_least(0, seeds=seed)
            at_most(MAX_SEED, seeds=seed)
        _unique("seeds", self.seeds)
        if self.eval is not None and not self.train:
            raise ConfigError("eval", "looks at what was trained, and train is false")
        if self.jobs and not self.words:
            raise ConfigError("words", "must say what to run, e.g. [preset=cartpole]")
        for use in self.gates:
            if use.of not in self.sources:
                known = ", ".join(self.sources) or "none"
                raise ConfigError("gates", f"{use.gate} looks at {use.of}, which this scenario has not: it has {known}")

    @property
    def sources(self) -> tuple[Source, ...]:
        """The kinds of runs that it has."""
        had: dict[Source, bool] = {
            "train": self.train and bool(self.words),
            "eval": self.eval is not None,
            "bench": self.bench is not None,
            "posted": self.posted,
        }
        return tuple(kind for kind, has in had.items() if has)

    @property
    def jobs(self) -> int:
        """How many jobs one try of it takes."""
        trained = len(self.seeds) if self.train and (self.words or self.eval) else 0
        evaluated = len(self.seeds) if self.eval is not None else 0
        return trained + evaluated + int(self.bench is not None)


@dataclass(frozen=True, kw_only=True)
class Suite:
    name: str
    version: int = 1
    question: str = ""
    schedule: Schedule | None = None  # UTC
    confirm: int = 0  # how often a red scenario is tried again, with other seeds, before it is called red
    stop_early: StopEarly = "never"  # stop jobs that cannot change the verdict any more
    gates: tuple[Gate, ...] = field(default=())
    scenarios: tuple[Scenario, ...]

    def __post_init__(self) -> None:
        _slug(name=self.name)
        at_least(1, version=self.version)
        at_least(0, confirm=self.confirm)
        at_most(3, confirm=self.confirm)
        if not self.scenarios:
            raise ConfigError("scenarios", "must list at least one scenario")
        _unique("scenarios", [scenario.name for scenario in self.scenarios])
        _unique("gates", [gate.name for gate in self.gates])
        if self.jobs > _MOST_JOBS:
            raise ConfigError("scenarios", f"take {self.jobs} jobs, at most {_MOST_JOBS} are allowed")
        known = {COMPARE, *(gate.name for gate in self.gates)}
        for scenario in self.scenarios:
            for use in scenario.gates:
                if use.gate not in known:
                    raise ConfigError(
                        f"scenarios.{scenario.name}.gates",
                        f"there is no gate {use.gate!r}; known are {', '.join(sorted(known))}",
                    )
                if use.gate == COMPARE and use.baseline is None:
                    raise ConfigError(f"scenarios.{scenario.name}.gates", "compare needs a baseline")

    @property
    def jobs(self) -> int:
        return sum(scenario.jobs for scenario in self.scenarios)

    @property
    def unused_gates(self) -> tuple[str, ...]:
        """Thresholds that nobody looks at: to be used, or to be deleted."""
        used = {use.gate for scenario in self.scenarios for use in scenario.gates}
        return tuple(gate.name for gate in self.gates if gate.name not in used)


def _slug(**names: str) -> None:
    for key, name in names.items():
        if not _SLUG.fullmatch(name):
            raise ConfigError(key, f"must be letters, digits, dots, dashes and underscores, got {name!r}")


def _unique(key: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise ConfigError(key, f"has {value!r} twice")
        seen.add(value)
