"""Sides beside a baseline: which baseline, which metrics, and how each side stands. Only what is shown is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from dreamer_core import gates
from dreamer_core.gates import Evidence, SeedGroup
from dreamer_core.metrics.names import Direction
from server.compare.asked import MOST_KEYS, Asked
from server.compare.bands import Shapes, band_of, bands
from server.compare.sides import Kind, Side, read_side, runs_of
from server.compare.values import LAST, Value, values
from server.gates import baselines
from server.metrics import names
from server.metrics.batch import AXES
from server.tables import Baseline, Run

_USUAL = (
    "eval/mean_return",
    "Rewards/rew_avg",
    "Loss/world_model_loss",
    "Loss/value_loss",
    "sps",
)

_Sides = Sequence[tuple[Kind, str, Sequence[Run]]]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Rows, before any number is read."""

    sides: _Sides
    row: Baseline | None
    baseline: gates.Baseline | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    row: Baseline | None
    baseline: gates.Baseline | None
    keys: Sequence[str]
    sides: Sequence[tuple[Side, Mapping[str, Value]]]

    @property
    def window(self) -> gates.Window:
        """Where each side is looked at."""
        return LAST if self.baseline is None else self.baseline.window

    @property
    def medians(self) -> dict[str, float]:
        """Of the baseline."""
        known = {} if self.baseline is None else self.baseline.metrics
        return {key: known[key].median for key in self.keys if key in known}

    def direction(self, key: str) -> Direction:
        return Evidence(candidate=SeedGroup(runs=()), baseline=self.baseline).direction(key)


def choose(session: Session, asked: Asked) -> Chosen:
    sides = [(kind, name, runs_of(session, kind, name)) for kind, name in asked.sides]
    row = _row(session, asked, sides)
    return Chosen(sides=sides, row=row, baseline=None if row is None else baselines.read(row))


def compare(session: Session, chosen: Chosen, metrics: Sequence[str] = ()) -> Comparison:
    keys, found = metrics or _keys(session, chosen), chosen.baseline
    sides = [read_side(session, kind, name, runs, keys, found) for kind, name, runs in chosen.sides]
    return Comparison(
        row=chosen.row, baseline=found, keys=keys, sides=[(side, values(side, keys, found)) for side in sides]
    )


def all_bands(session: Session, chosen: Chosen, keys: Sequence[str]) -> dict[str, Shapes]:
    known = {} if chosen.baseline is None else chosen.baseline.metrics
    drawn = bands(session, [runs for _, _, runs in chosen.sides], keys)
    return {key: Shapes(band_of(known[key]) if key in known else None, drawn[key]) for key in keys}


def _row(session: Session, asked: Asked, sides: _Sides) -> Baseline | None:
    """The one that is asked for. Where nothing is said, that of the first side's family with the most seeds."""
    if asked.baseline is not None:
        return baselines.named(session, asked.baseline) if asked.baseline else None
    family = sides[0][2][0].family if sides else None
    if not family:
        return None
    query = select(Baseline).where(col(Baseline.retired_at).is_(None), Baseline.family == family)
    return session.exec(query.order_by(col(Baseline.seeds).desc(), col(Baseline.created_at).desc())).first()


def _keys(session: Session, chosen: Chosen) -> tuple[str, ...]:
    """Those of the usual ones that anybody has; else the first by name of what there is."""
    ids = {run.id for _, _, runs in chosen.sides for run in runs}
    known = names.of_runs(session.connection(), ids)
    if chosen.baseline is not None:
        known |= set(chosen.baseline.metrics)
    usual = tuple(key for key in _USUAL if key in known)
    return usual or tuple(sorted(known - set(AXES))[:MOST_KEYS])
