"""The newest gate results of each of many things, in one query: of baselines, or of gates."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from dreamer_core.gates import Verdict
from server.gates.definitions import COMPARE
from server.tables import GateResult, SuiteRun


class Said(NamedTuple):
    id: str
    verdict: Verdict
    created_at: float


def newest(session: Session, column: Any, values: Sequence[str], each: int) -> dict[str, list[Said]]:
    """By the value of `column`, the newest first."""
    order = (col(GateResult.created_at).desc(), col(GateResult.id).desc())
    place = func.row_number().over(partition_by=col(column), order_by=order).label("place")
    told = (col(GateResult.id), col(GateResult.verdict), col(GateResult.created_at))
    ranked = select(col(column).label("about"), *told, place).where(col(column).in_(values)).subquery()
    query = select(ranked.c.about, ranked.c.id, ranked.c.verdict, ranked.c.created_at).where(ranked.c.place <= each)
    found: dict[str, list[Said]] = {value: [] for value in values}
    for about, *said in session.connection().execute(query.order_by(ranked.c.place)):
        found[about].append(Said(*said))
    return found


@dataclass(frozen=True)
class Latest:
    """The newest of each gate in each suite; without a suite, of those that nobody's suite asked for."""

    said: Mapping[tuple[str, str | None], Said]

    def of(self, gate: str, suite: str | None) -> Said | None:
        """The gate that is built in is the same in every suite."""
        if gate != COMPARE.name:
            return self.said.get((gate, suite))
        of_all = [said for (name, _), said in self.said.items() if name == gate]
        return max(of_all, key=lambda said: said.created_at, default=None)


def newest_of_gates(session: Session, names: Collection[str]) -> Latest:
    order = (col(GateResult.created_at).desc(), col(GateResult.id).desc())
    about = (col(GateResult.gate), col(SuiteRun.suite))
    place = func.row_number().over(partition_by=about, order_by=order).label("place")
    told = (col(GateResult.id), col(GateResult.verdict), col(GateResult.created_at))
    asked = select(*about, *told, place).outerjoin(SuiteRun, col(SuiteRun.id) == col(GateResult.suite_run_id))
    ranked = asked.where(col(GateResult.gate).in_(names)).subquery()
    of_each = select(ranked.c.gate, ranked.c.suite, ranked.c.id, ranked.c.verdict, ranked.c.created_at)
    rows = session.connection().execute(of_each.where(ranked.c.place == 1))
    return Latest({(gate, suite): Said(*said) for gate, suite, *said in rows})
