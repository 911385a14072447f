"""Runs that differ in the seed alone as one group: a mean, how far it spreads, and over how many seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from sqlmodel import Session, col, select

from server.metrics.latest import latest
from server.runs.out import RunOut
from server.tables import Run


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of the last values; of two runs with the same seed, the newer one counts."""

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class SeedGroup:
    """Some runs of a list. n (seeds) and summary are of all its runs, shown or not; None: they are not grouped."""

    runs: Sequence[RunOut]
    seed_group: str = ""
    label: str = ""
    n: int = 0
    summary: Mapping[str, Spread] | None = None


@dataclass(frozen=True, kw_only=True)
class SeedLink:
    """Another run of the same group."""

    id: str
    seed: int | None
    state: str


def ungrouped(runs: Sequence[RunOut]) -> list[SeedGroup]:
    return [SeedGroup(runs=runs)]


def grouped(session: Session, runs: Sequence[RunOut], metrics: Sequence[str]) -> list[SeedGroup]:
    """In the order in which each group first comes."""
    shown: dict[str, list[RunOut]] = {}
    for run in runs:
        shown.setdefault(run.seed_group, []).append(run)
    members = _members(session, list(shown))
    values = latest(session, [member.id for group in members.values() for member in group], metrics)
    return [
        SeedGroup(
            runs=sorted(group, key=lambda run: (run.seed is None, run.seed or 0)),
            seed_group=name,
            label=group[0].name,
            n=count_seeds(members.get(name, [])),
            summary=_summary(members.get(name, []), values, metrics),
        )
        for name, group in shown.items()
    ]


def siblings(session: Session, seed_group: str) -> list[SeedLink]:
    """All runs of a group, by seed."""
    return sorted(_members(session, [seed_group]).get(seed_group, []), key=lambda each: (each.seed is None, each.seed))


def count_seeds(links: Sequence[SeedLink]) -> int:
    """Two runs of one seed count once."""
    return len({_seed_of(link) for link in links})


def _seed_of(link: SeedLink) -> int | str:
    return link.id if link.seed is None else link.seed


def _members(session: Session, seed_groups: Sequence[str]) -> dict[str, list[SeedLink]]:
    """The oldest first."""
    found = select(Run.seed_group, Run.id, Run.seed, Run.state)
    alive = found.where(col(Run.seed_group).in_(seed_groups), col(Run.deleted_at).is_(None))
    members: dict[str, list[SeedLink]] = {}
    for seed_group, run_id, seed, state in session.exec(alive.order_by(col(Run.created_at), col(Run.id))):
        members.setdefault(seed_group, []).append(SeedLink(id=run_id, seed=seed, state=state))
    return members


def _summary(
    links: Sequence[SeedLink], values: Mapping[str, Mapping[str, float | str]], metrics: Sequence[str]
) -> dict[str, Spread]:
    """Of the finite values; a metric that nobody has is left out."""
    found = {}
    for key in metrics:
        by_seed: dict[int | str, float] = {}
        for link in links:
            value = values.get(link.id, {}).get(key)
            if isinstance(value, int | float):
                by_seed[_seed_of(link)] = value
        if numbers := list(by_seed.values()):
            found[key] = Spread(n=len(numbers), mean=fmean(numbers), low=min(numbers), high=max(numbers))
    return found
