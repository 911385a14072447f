"""What a caller may ask for: which runs, and which jobs to put into the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Everything that is given must hold. `sort`: created_at, name, metric:KEY ...; a leading - turns it around."""

    experiment: str | None = None  # its id or its name
    state: Sequence[str] = ()  # one of these
    kind: str | None = None
    tag: Sequence[str] = ()  # all of these
    preset: str | None = None
    env: str | None = None
    family: str | None = None
    fingerprint: str | None = None
    seed_group: str | None = None
    commit: str | None = None
    parent: str | None = None
    q: str | None = None  # part of the name, id, notes, hypothesis or a tag
    deleted: bool = False
    metrics: Sequence[str] = ()  # keys whose latest values are wanted
    sort: str = "-created_at"

    def params(self) -> dict[str, Any]:
        return {**given(self), "deleted": self.deleted, "metrics": ",".join(self.metrics) or None}


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Of another run: its best or last one, or one by name."""

    run: str
    which: str = "best"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A job, or one for each of `seeds`. Words win over `config`; eval and viz take both from the checkpoint's run."""

    kind: str = "train"
    experiment: str | None = None  # that of the run whose checkpoint it looks at, else default
    name: str | None = None
    words: Sequence[str] = ()  # preset=cartpole, algo.horizon=10 ...
    config: Mapping[str, Any] | None = None
    seeds: Sequence[int] = ()
    queue: str = "auto"
    priority: int = 0
    gpus: int | None = None
    tags: Sequence[str] = ()
    hypothesis: str = ""
    primary_metric: str | None = None
    stop_rule: str = ""
    notes: str = ""
    commit: str | None = None
    checkpoint: Checkpoint | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    needs: Sequence[str] = ()
    limits: Mapping[str, Any] = field(default_factory=dict)
    max_lost: int = 3

    def body(self) -> dict[str, Any]:
        return {**given(self), **({"checkpoint": given(self.checkpoint)} if self.checkpoint else {})}


def given(asked: Any) -> dict[str, Any]:
    """The fields of a dataclass that say something: not None, and not empty."""
    found = {item.name: getattr(asked, item.name) for item in fields(asked)}
    return {name: value for name, value in found.items() if value is not None and value not in ((), [], {}, "")}
