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
_QUEUE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
_WHICH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_MOST_JOBS = 1000
_LAST_VERSION = 99_999_999


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """After the training of each seed: greedy or sampled episodes of its checkpoint."""

    episodes: int = 20
    greedy: bool = True
    which: str = "best"

    def __post_init__(self) -> None:
        at_least(1, episodes=self.episodes)
        at_most(100_000, episodes=self.episodes)
        _fits(_WHICH, "best, last or the name of a checkpoint", which=self.which)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Once for a scenario: how fast an update is."""

    updates: int = 20
    warmup: int = 5

    def __post_init__(self) -> None:
        at_least(1, updates=self.updates)
        at_least(0, warmup=self.warmup)
        at_most(1_000_000, updates=self.updates, warmup=self.warmup)


@dataclass(frozen=True, kw_only=True)
class GateUse:
    """One gate over the numbers of one kind of run, perhaps against a baseline."""

    gate: str
    of: Source = "train"
    baseline: str | None = None  # name, or name@version

    def __post_init__(self) -> None:
        if self.baseline is not None:
            _fits(_REFERENCE, "a name or name@version", baseline=self.baseline)


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
        self._check_seeds()
        self._check_place()
        if self.eval is not None and not self.train:
            raise ConfigError("eval", "looks at what was trained, and train is false")
        if self.jobs and not self.words:
            raise ConfigError("words", "must say what to run, e.g. [preset=cartpole]")
        self._check_gates()

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

    def _check_seeds(self) -> None:
        if not self.seeds:
            raise ConfigError("seeds", "must list at least one seed")
        for seed in self.seeds:
            at_least(0, seeds=seed)
            at_most(MAX_SEED, seeds=seed)
        _unique("seeds", self.seeds)
        if any(word.startswith("seed=") for word in self.words):
            raise ConfigError("words", "must not set seed: that is what seeds are for")

    def _check_place(self) -> None:
        """As the queue takes it: refused here, not when the first jobs are already there."""
        _fits(_QUEUE, "the name of a queue: small letters, digits, dots, dashes, underscores", queue=self.queue)
        at_least(-100, priority=self.priority)
        at_most(100, priority=self.priority)
        at_least(0, gpus=self.gpus or 0)
        at_most(64, gpus=self.gpus or 0)
        at_least(1, seconds=1 if self.seconds is None else self.seconds)
        at_most(10 * 365 * 86_400, seconds=self.seconds or 1)

    def _check_gates(self) -> None:
        if not self.gates:
            raise ConfigError("gates", "must name at least one gate; a scenario without gates could never be passed")
        _unique("gates", [f"{use.gate} of {use.of} against {use.baseline}" for use in self.gates])
        for use in self.gates:
            if use.of not in self.sources:
                known = ", ".join(self.sources) or "none"
                raise ConfigError("gates", f"{use.gate} looks at {use.of}, which this scenario has not: it has {known}")


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
        at_most(_LAST_VERSION, version=self.version)
        at_least(0, confirm=self.confirm)
        at_most(3, confirm=self.confirm)
        if not self.scenarios:
            raise ConfigError("scenarios", "must list at least one scenario")
        _unique("scenarios", [scenario.name for scenario in self.scenarios])
        for scenario in self.scenarios:  # each try takes seeds beyond those of the one before
            at_most(MAX_SEED, seeds=(self.confirm + 1) * (max(scenario.seeds) + 1) - 1 if self.confirm else 0)
        if self.jobs > _MOST_JOBS:
            raise ConfigError("scenarios", f"take {self.jobs} jobs, at most {_MOST_JOBS} are allowed")
        self._check_gates()
        for scenario in self.scenarios:
            for use in scenario.gates:
                self._check_use(use, f"scenarios.{scenario.name}.gates")

    @property
    def jobs(self) -> int:
        return sum(scenario.jobs for scenario in self.scenarios)

    @property
    def unused_gates(self) -> tuple[str, ...]:
        """Thresholds that nobody looks at: to be used, or to be deleted."""
        used = {use.gate for scenario in self.scenarios for use in scenario.gates}
        return tuple(gate.name for gate in self.gates if gate.name not in used)

    def _check_gates(self) -> None:
        _unique("gates", [gate.name for gate in self.gates])
        for gate in self.gates:
            _slug(gates=gate.name)
            if gate.name == COMPARE:
                raise ConfigError("gates", f"{COMPARE} is built in: take another name")

    def _check_use(self, use: GateUse, where: str) -> None:
        """What could never be green, whatever the numbers are, is a mistake in the suite."""
        gate = next((gate for gate in self.gates if gate.name == use.gate), None)
        if gate is None and use.gate != COMPARE:
            known = ", ".join(sorted({COMPARE, *(gate.name for gate in self.gates)}))
            raise ConfigError(where, f"there is no gate {use.gate!r}; known are {known}")
        needed = [check for check in (gate.checks if gate else ()) if check.required and not check.skip]
        if use.baseline is None and (gate is None or any(check.uses_baseline for check in needed)):
            raise ConfigError(where, f"{use.gate} needs a baseline")
        if use.of != "posted" and any(check.kind == "parity" for check in needed):
            raise ConfigError(where, f"{use.gate} has the check parity, which looks at what is posted, not at {use.of}")


def _slug(**names: str) -> None:
    _fits(_SLUG, "letters, digits, dots, dashes and underscores", **names)


def _fits(pattern: re.Pattern[str], words: str, **values: str) -> None:
    for key, value in values.items():
        if not pattern.fullmatch(value):
            raise ConfigError(key, f"must be {words}, got {value!r}")


def _unique(key: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise ConfigError(key, f"has {value!r} twice")
        seen.add(value)
