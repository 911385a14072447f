"""A run or a seed group beside a baseline: its numbers of some metrics, and whether they may be compared at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from dreamer_core.gates import Baseline, Evidence, SeedGroup
from dreamer_core.gates.comparable import differing_family, differing_testbed, family_is_known
from server.gates import evidence
from server.tables import Run

Kind = Literal["run", "group"]


@dataclass(frozen=True, kw_only=True)
class Side:
    kind: Kind
    id: str  # of the run, or the hash of the group
    runs: Sequence[Run]
    group: SeedGroup
    different_family: str  # which field differs; empty where nothing speaks against it
    different_testbed: str | None  # None: not known
    knows_family: bool  # of both

    @property
    def label(self) -> str:
        return self.runs[0].name

    @property
    def seeds(self) -> int:
        """Two runs of one seed count once; a run without a seed is its own."""
        return len({run.id if run.seed is None else run.seed for run in self.runs})

    @property
    def is_running(self) -> bool:
        return any(not run.state.is_final for run in self.runs)

    @property
    def address(self) -> str:
        return f"/runs/{self.id}" if self.kind == "run" else f"/runs?seed_group={self.id}"


def runs_of(session: Session, kind: Kind, name: str) -> list[Run]:
    """By seed."""
    runs = evidence.chosen(session, [name] if kind == "run" else [], name if kind == "group" else None)
    return sorted(runs, key=lambda run: (run.seed is None, run.seed or 0, run.id))


def read_side(
    session: Session, kind: Kind, name: str, runs: Sequence[Run], keys: Sequence[str], baseline: Baseline | None
) -> Side:
    """Only these keys are read: a run may have hundreds of others."""
    group = evidence.group_of(session, runs, keys)
    seen = Evidence(candidate=group, baseline=baseline)
    return Side(
        kind=kind,
        id=name,
        runs=runs,
        group=group,
        different_family="" if baseline is None else differing_family(baseline, seen),
        different_testbed=None if baseline is None else differing_testbed(baseline, seen),
        knows_family=baseline is not None and family_is_known(baseline, seen),
    )
